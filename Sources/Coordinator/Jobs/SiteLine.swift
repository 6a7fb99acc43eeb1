import Database
import Domain
import Persistence

/// The line of jobs of one site: at most one is ready or leased, the others wait their turn.
struct SiteLine: Sendable {
    let stores: Stores

    /// Adds a job; it is ready at once when the line is empty. The caller holds the site's row.
    func join(
        _ job: Job, owner: UserID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Job {
        var job = job
        let active = try await stores.jobs.active(of: job.site, in: transaction)?.job
        let queued = try await stores.jobs.countQueued(of: job.site, in: transaction)
        try job.join(behind: active, andQueued: queued, at: now)
        if job.isActive { job.takeTurn(try await stores.jobs.fairShare(of: owner, in: transaction)) }
        try await stores.jobs.insert(job, owner: owner, in: transaction)
        return job
    }

    /// Makes the next job of the site ready after the one before has left; returns it.
    func moveUp(_ site: SiteID, at now: Timestamp, in transaction: any SQLTransaction) async throws -> Job? {
        let active = try await stores.jobs.active(of: site, in: transaction)?.job
        guard var next = try await stores.jobs.nextQueued(of: site, in: transaction),
            try next.job.moveUp(behind: active, at: now)
        else { return nil }
        next.job.takeTurn(try await stores.jobs.fairShare(ofOwnerOf: site, in: transaction))
        try await stores.jobs.save(next, in: transaction)
        return next.job
    }
}
