import Domain
import Synchronization

/// Which site a job is of. That never changes, so whoever knows it need not ask the database before a transaction.
final class JobSites: Sendable {
    private static let limit = 20_000

    private let sites = Mutex<[JobID: SiteID]>([:])

    func known(_ jobs: [JobID]) -> [JobID: SiteID] {
        sites.withLock { sites in
            jobs.reduce(into: [:]) { known, job in known[job] = sites[job] }
        }
    }

    func note(_ found: [JobID: SiteID]) {
        sites.withLock { sites in
            // Seldom, and forgetting costs one question for each job that is still under way.
            if sites.count + found.count > Self.limit { sites.removeAll() }
            sites.merge(found) { old, _ in old }
        }
    }
}
