/// The line of jobs of one site: at most one is ready or leased, the others wait their turn.
extension Job {
    /// Joins the line; it is ready at once when nobody is in it.
    package mutating func join(behind active: Job?, andQueued queued: Int, at now: Timestamp) throws(JobError) {
        if active == nil, queued == 0 { try makeReady(at: now) }
    }

    /// The one before has left, unless `active` says otherwise. Returns whether it is ready now.
    package mutating func moveUp(behind active: Job?, at now: Timestamp) throws(JobError) -> Bool {
        guard active == nil else { return false }
        try makeReady(at: now)
        return true
    }
}
