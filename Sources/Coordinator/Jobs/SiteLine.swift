import Database
import Domain
import Persistence

/// The line of jobs of one site: one is ready or leased, or tries at one request are; the others wait their turn.
struct SiteLine: Sendable {
    let stores: Stores

    /// Adds a job; it is ready at once when the line is empty. The caller holds the site's row.
    func join(
        _ job: Job, owner: UserID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Job {
        var job = job
        let active = try await stores.jobs.active(of: job.site, in: transaction)
        let queued = try await stores.jobs.countQueued(of: job.site, in: transaction)
        try job.join(behind: active, andQueued: queued, at: now)
        if job.isActive { job.takeTurn(try await stores.jobs.fairShare(of: owner, in: transaction)) }
        try await stores.jobs.insert(job, owner: owner, in: transaction)
        return job
    }

    /// Makes the next job of the site ready after the one before has left, and with a try its siblings that stand right
    /// behind it; returns those.
    func moveUp(_ site: SiteID, at now: Timestamp, in transaction: any SQLTransaction) async throws -> [Job] {
        var (active, line) = try await transaction.answers(
            stores.jobs.active(of: site), stores.jobs.firstQueued(of: site, limit: 2))
        var moved: [Job] = []
        while var next = line.first, try next.job.moveUp(behind: active, at: now) {
            // Asked only for a job that moves: under load it is the dearest question of all, and most lines are empty.
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
