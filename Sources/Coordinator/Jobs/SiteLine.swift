import Database
import Domain
import Persistence

/// The line of jobs of one site: at most one is ready or leased, the others wait their turn.
struct SiteLine: Sendable {
    let stores: Stores

    /// Adds a job; it is ready at once when the line is empty. The caller holds the site's row.
    func join(_ job: Job, at now: Timestamp, in transaction: any SQLTransaction) async throws -> Job {
        var job = job
        if try await stores.jobs.active(of: job.site, in: transaction) == nil,
            try await stores.jobs.countQueued(of: job.site, in: transaction) == 0
        {
            try job.makeReady(at: now)
        }
        try await stores.jobs.insert(job, in: transaction)
        return job
    }

    /// Makes the next job of the site ready after the one before has left; returns it.
    func moveUp(_ site: SiteID, at now: Timestamp, in transaction: any SQLTransaction) async throws -> Job? {
        guard try await stores.jobs.active(of: site, in: transaction) == nil,
            var next = try await stores.jobs.nextQueued(of: site, in: transaction)
        else { return nil }
        try next.job.makeReady(at: now)
        try await stores.jobs.save(next, in: transaction)
        return next.job
    }
}
