/// The line of jobs of one site: one is ready or leased, or several that try the same request; the others wait their turn.
extension Job {
    /// Whether it may be ready beside these, which are: when there are none, or when all try the same request as it does.
    /// Tries start from one base and only add a version each that nothing points at, so there is never a second writer of
    /// what the site shows.
    package func fits(beside active: [Job]) -> Bool {
        active.isEmpty || trial != nil && active.allSatisfy { $0.trial == trial }
    }

    /// Joins the line; it is ready at once when nobody is before it.
    package mutating func join(behind active: [Job], andQueued queued: Int, at now: Timestamp) throws(JobError) {
        if queued == 0, fits(beside: active) { try makeReady(at: now) }
    }

    /// The one before has left, unless `active` says otherwise. Returns whether it is ready now.
    package mutating func moveUp(behind active: [Job], at now: Timestamp) throws(JobError) -> Bool {
        guard fits(beside: active) else { return false }
        try makeReady(at: now)
        return true
    }
}
