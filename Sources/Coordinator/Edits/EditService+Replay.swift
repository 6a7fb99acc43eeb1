import Database
package import Domain
import Logging
import Persistence

extension EditService {
    /// Makes a job that carries out an edit once more on the same base, from what its model said then: nobody is asked,
    /// and no version is made. It succeeds when it comes to the same content.
    package func replay(
        _ id: JobID, for principal: Principal, once: Once<JobView> = .unkeyed
    ) async throws -> JobView {
        let now = clock.now()
        let view = try await database.withTransaction(once) { transaction in
            guard let original = try await stores.jobs.find(id, in: transaction),
                let site = try await stores.sites.find(original.job.site, in: transaction),
                site.owner == principal.user || principal.isAdmin
            else { throw ServiceError(.notFound, "there is no job \(id)", field: "job") }
            guard case .succeeded = original.job.state, original.job.kind == .edit,
                let edit = try await stores.edits.find(job: id, in: transaction), edit.replayOf == nil
            else {
                throw ServiceError(
                    .conflict, "only an edit that made a version can be replayed", rule: "replay-succeeded")
            }
            let source = try await transcript(of: original, edit, in: transaction)
            try await stores.sites.save(site, in: transaction)
            guard try await stores.jobs.countQueued(of: site.id, in: transaction) < settings.queuedEditsPerSite else {
                throw ServiceError(
                    .quotaExceeded, "\(settings.queuedEditsPerSite) edits of \(site.slug) wait already",
                    rule: "queued-edits", nextStep: "Wait for some of them to finish, or cancel some.")
            }
            let job = try await SiteLine(stores: stores).join(
                Job(id: JobID(at: now), site: site.id, kind: .replay, createdAt: now), owner: site.owner, at: now,
                in: transaction)
            let again = Edit(
                id: EditID(at: now), site: site.id, author: principal.user, prompt: edit.prompt, engine: edit.engine,
                base: edit.base, isBaseChosen: true, job: job.id, replayOf: source, createdAt: now)
            try await stores.edits.insert(again, in: transaction)
            try await AuditTrail(stores: stores).record(
                .replayAccepted, on: job.id.text, of: site.id, for: principal, ["of": id.text], at: now,
                in: transaction)
            try await JobEvents(feed: feed).append(.jobQueued, job, owner: site.owner, at: now, in: transaction)
            return try await JobViewer(stores: stores, workers: workers).view(JobRecord(job: job), in: transaction)
        }
        if view.job.isActive { await ready.announce(view.job) }
        feed.announce()
        logger.info("Accepted replay", metadata: ["job.id": "\(view.job.id)", "replay.of": "\(id)"])
        return view
    }

    /// The job whose transcript is to be followed. One that was itself answered from the cache has none of its own.
    private func transcript(
        of record: JobRecord, _ edit: Edit, in transaction: any SQLTransaction
    ) async throws -> JobID {
        let id = record.job.id
        // The built-in engine comes to the same by itself.
        if edit.engine == .builtin { return id }
        if try await stores.transcripts.exists(id, in: transaction) { return id }
        throw ServiceError(
            .conflict, "nothing is kept of what the model said for \(id)", rule: "replay-transcript",
            nextStep: "Its transcript was too long or is too old, or it was answered from the cache.")
    }
}
