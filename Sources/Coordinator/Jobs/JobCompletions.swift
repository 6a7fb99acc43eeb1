package import Artifacts
package import Database
package import Domain
import Faults
package import Logging
import Metrics
package import Persistence
import Telemetry

/// Takes the results of workers. A result takes effect at most once, and only under the lease that is held now.
package struct JobCompletions: Sendable {
    /// What the checks made of a result.
    private enum Result: Sendable {
        case version(CheckedContent, parent: VersionNumber, edit: Edit)
        /// A generation that ends with its plan: the site stays as it is, at this version.
        case plan(VersionNumber)
        case failure(JobFailure, findings: [Finding])
        case cancelled
    }

    private let database: any SQLDatabase
    private let stores: Stores
    private let blobs: any BlobStore
    private let manifests: ManifestCache
    private let recorder: VersionRecorder
    private let ready: ReadyJobs
    private let desiredState: DesiredState
    private let generations: GenerationLedger
    private let feed: EventFeed
    private let ended: EndedAttempts
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, blobs: any BlobStore, manifests: ManifestCache,
        recorder: VersionRecorder, ready: ReadyJobs, desiredState: DesiredState, generations: GenerationLedger,
        feed: EventFeed, ended: EndedAttempts, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.blobs = blobs
        self.manifests = manifests
        self.recorder = recorder
        self.ready = ready
        self.desiredState = desiredState
        self.generations = generations
        self.feed = feed
        self.ended = ended
        self.clock = clock
        self.logger = logger
    }

    /// Checks everything again, then records the outcome in one transaction that compares attempt, token and fence.
    package func complete(_ completion: JobCompletion, from host: HostID) async throws -> CompletionVerdict {
        let verdict = try await decide(completion, from: host)
        MetricsSystem.factory.increment(.completions, verdict.rawValue)
        if verdict == .stale { MetricsSystem.factory.increment(.staleWrites, "completion") }
        return verdict
    }

    private func decide(_ completion: JobCompletion, from host: HostID) async throws -> CompletionVerdict {
        let lease = completion.lease
        guard let current = try await database.read({ try await stores.jobs.find(lease.job, in: $0) }) else {
            return .stale
        }
        if let verdict = current.job.verdict(on: lease, from: host) { return verdict }
        FaultPoint.completionReceived.reach()
        let result = try await result(of: completion)
        let applied: (job: Job, next: Job?)?
        if case .version(let content, let parent, let edit) = result {
            applied = try await recorder.recording(content) {
                try await apply(
                    .version($0, parent: parent, edit: edit), of: completion, to: current.job.site, from: host)
            }
        } else {
            applied = try await apply(result, of: completion, to: current.job.site, from: host)
        }
        FaultPoint.afterCompletionCommit.reach()
        guard let applied else { return .stale }
        ended.note(lease, of: host, at: clock.now())
        publish(applied.job)
        feed.announce()
        desiredState.advance()
        if case .ready = applied.job.state {
            // The machinery broke: what is wrong may need a moment.
            await ready.announce(applied.job, delay: .seconds(1) * min(30, applied.job.losses))
        }
        if let next = applied.next { await ready.announce(next) }
        logger.notice(
            "Finished attempt",
            metadata: [
                "job.id": "\(lease.job)", "attempt": "\(lease.attempt)", "state": "\(applied.job.stateName.rawValue)",
            ])
        return .applied
    }

    private func apply(
        _ result: Result, of completion: JobCompletion, to siteID: SiteID, from host: HostID
    ) async throws -> (job: Job, next: Job?)? {
        let lease = completion.lease
        let now = clock.now()
        return try await database.withTransaction { transaction -> (job: Job, next: Job?)? in
            // The site first, then the job: the order of locks everywhere.
            guard var site = try await stores.sites.find(siteID, in: transaction),
                var record = try await stores.jobs.find(lease.job, in: transaction),
                site.admits(lease, of: host, on: record.job)
            else { return nil }
            record.summary = String(completion.summary.prefix(4000))
            record.usage = record.usage + completion.usage
            switch result {
            case .version(let content, let parent, let edit):
                let version = try await recorder.record(
                    content, on: &site, parent: parent,
                    origin: .edit(edit.id, job: record.job.id, engine: edit.engine), author: edit.author,
                    summary: completion.summary, at: now, in: transaction)
                record.findings = content.warnings
                try record.job.succeed(lease, with: version.number, at: now)
            case .plan(let base):
                try record.job.succeed(lease, with: base, at: now)
            case .failure(let failure, let findings):
                record.findings = findings
                try record.job.fail(lease, with: failure, at: now)
            case .cancelled:
                try record.job.confirmCancelled(lease, at: now)
            }
            try await generations.note(completion, of: site, by: record.job, at: now, in: transaction)
            // Whatever the outcome, this lease is over.
            _ = site.raiseFence()
            try await stores.sites.save(site, in: transaction)
            try await stores.jobs.save(record, in: transaction)
            try await AuditTrail(stores: stores).record(
                endOf: record.job, by: .host(host), host: host, fence: lease.fence, at: now, in: transaction)
            try await JobEvents(feed: feed).append(
                record.job.isTerminal ? .jobFinished : .jobProgress, record.job, owner: site.owner, at: now,
                in: transaction)
            let next =
                record.job.isTerminal
                ? try await SiteLine(stores: stores).moveUp(site.id, at: now, in: transaction) : nil
            FaultPoint.beforeCompletionCommit.reach()
            return (record.job, next)
        }
    }

    private func publish(_ job: Job) {
        guard job.isTerminal else { return }
        MetricsSystem.factory.increment(.jobsFinished, job.stateName.rawValue)
        MetricsSystem.factory.observe(.jobSeconds, job.updatedAt - job.createdAt, job.stateName.rawValue)
    }

    private func result(of completion: JobCompletion) async throws -> Result {
        switch completion.outcome {
        case .cancelled: return .cancelled
        case .failed(let failure): return .failure(failure, findings: [])
        case .succeeded(let changes, let digest):
            do {
                return try await checked(changes, digest: digest, lease: completion.lease)
            } catch let error as ServiceError where error.code == .validationFailed {
                return .failure(
                    JobFailure(kind: .task, code: "validation-failed", message: error.message),
                    findings: error.findings)
            }
        }
    }

    private func checked(
        _ changes: ManifestDelta, digest: ContentDigest, lease: JobLease
    ) async throws -> Result {
        let (edit, parent, generation) = try await database.read { transaction -> (Edit, Version, Generation?) in
            guard let record = try await stores.jobs.find(lease.job, in: transaction),
                let edit = try await stores.edits.find(job: lease.job, in: transaction),
                let parent = try await stores.versions.find(edit.base, of: record.job.site, in: transaction)
            else { throw ServiceError(.internalError, "the base of \(lease.job) is missing") }
            let isGeneration = record.job.kind == .generate
            return (
                edit, parent,
                isGeneration ? try await stores.generations.find(site: record.job.site, in: transaction) : nil
            )
        }
        // Before its plan is approved, a generation changes nothing.
        if let generation, generation.stopsAfterPlan, changes.isEmpty { return .plan(parent.number) }
        guard !changes.isEmpty else {
            return .failure(
                JobFailure(kind: .task, code: "nothing-changed", message: "Nothing was changed."), findings: [])
        }
        let manifest = try changes.applied(to: try await manifests.manifest(parent.digest))
        guard manifest.digest == digest else {
            throw ServiceError(
                .validationFailed, "the worker's list of files does not have the digest that it says",
                rule: "manifest-digest")
        }
        // Before the look, so that a garbage collection after it is noticed.
        let sweeps = try await recorder.sweeps()
        let missing = try await blobs.missing(among: changes.upserts.map(\.digest))
        guard missing.isEmpty else {
            return .failure(
                JobFailure(
                    kind: .infrastructure, code: "blobs-missing",
                    message: "\(missing.count) of the changed files did not arrive."), findings: [])
        }
        for entry in changes.upserts {
            guard try await blobs.sizeInBytes(of: entry.digest) == entry.sizeInBytes else {
                throw ServiceError(
                    .validationFailed, "the file \"\(entry.path)\" does not have the size that the worker says",
                    rule: "manifest-size")
            }
        }
        let content = try await recorder.check(
            StagedContent(manifest: manifest, batch: nil, sweeps: sweeps), parent: parent,
            origin: .edit(edit.id, job: lease.job, engine: edit.engine))
        return .version(content, parent: parent.number, edit: edit)
    }
}
