/// A move that the state machine of a job refuses.
package enum JobError: Error, Equatable, CustomStringConvertible {
    case wrongState(JobID, actual: Job.StateName, attempted: String)
    /// The presented lease is not the one that is held now: a late writer.
    case stale(JobID, presented: Int, current: Int)

    package var description: String {
        switch self {
        case .wrongState(let job, let actual, let attempted):
            "cannot \(attempted) \(job): it is \(actual.rawValue)"
        case .stale(let job, let presented, let current):
            "the lease of attempt \(presented) of \(job) is over; the attempt now is \(current)"
        }
    }
}
