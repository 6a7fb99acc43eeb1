import Domain
import Synchronization

/// Which site a job is of, and which engine it needs. Neither ever changes, so whoever knows it need not ask the database
/// before a transaction, or after it.
final class JobSites: Sendable {
    private static let limit = 20_000

    private let sites = Mutex<[JobID: SiteID]>([:])
    private let engines = Mutex<[JobID: EngineName]>([:])

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

    func engine(of job: JobID) -> EngineName? { engines.withLock { $0[job] } }

    func note(_ engine: EngineName, of job: JobID) {
        engines.withLock { engines in
            if engines.count >= Self.limit { engines.removeAll() }
            engines[job] = engine
        }
    }
}
