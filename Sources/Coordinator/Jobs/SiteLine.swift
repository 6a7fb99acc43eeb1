import Database
import Domain
import Persistence

/// The line of jobs of one site: one is ready or leased, or tries at one request are; the others wait their turn.
struct SiteLine: Sendable {
    /// What a job finds that joins a line.
    struct End: Sendable {
        let active: [Job]
        let queued: Int
        /// Where the owner of the site stands.
        let share: FairShare
    }

    let stores: Stores

    /// Adds a job; it is ready at once when the line is empty. The caller holds the site's row.
    ///
    /// - Parameter end: what the caller found there in this transaction; it is looked at when it is left out.
    func join(
        _ job: Job, owner: UserID, behind end: End? = nil, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Job {
        var job = job
        let found: End
        if let end {
            found = end
        } else {
            let (active, queued, share) = try await transaction.answers(
                stores.jobs.active(of: job.site), stores.jobs.countQueued(of: job.site),
                stores.jobs.fairShare(of: owner))
            found = End(active: active, queued: queued, share: share)
        }
        try job.join(behind: found.active, andQueued: found.queued, at: now)
        if job.isActive { job.takeTurn(found.share) }
        try await stores.jobs.insert(job, owner: owner, in: transaction)
        return job
    }

    /// Makes the next job of the site ready after the one before has left, and with a try its siblings that stand right
    /// behind it; returns those.
    func moveUp(_ site: SiteID, at now: Timestamp, in transaction: any SQLTransaction) async throws -> [Job] {
        let (active, line) = try await transaction.answers(
            stores.jobs.active(of: site), stores.jobs.firstQueued(of: site, limit: 2))
        return try await moveUp(site, behind: active, line, at: now, in: transaction)
    }

    /// The same for a caller who looked at the line in this transaction.
    ///
    /// - Parameter line: its first two jobs.
    func moveUp(
        _ site: SiteID, behind active: [Job], _ line: [JobRecord], at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> [Job] {
        var (active, line) = (active, line)
        var moved: [Job] = []
        while var next = line.first, try next.job.moveUp(behind: active, at: now) {
            // Asked only for a job that moves: most lines are empty.
            next.job.takeTurn(try await transaction.answer(stores.jobs.fairShare(ofOwnerOf: site)))
            try await stores.jobs.save(next, in: transaction)
            active.append(next.job)
            moved.append(next.job)
            // Most lines are one job at a time.
            guard line.count > 1 else { break }
            line = try await transaction.answer(stores.jobs.firstQueued(of: site, limit: 2))
        }
        return moved
    }
}
