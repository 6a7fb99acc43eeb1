package import Domain

/// What one coordinator tells the others: where to look, never what is there. Whoever hears it reads the database.
package enum CoordinatorSignal: Sendable, Hashable {
    /// There may be new events.
    case events
    /// Hosts may have something new to serve.
    case desiredState
    /// This host was drained, resumed or revoked, or has opened a newer session.
    case host(HostID)
    /// A lease of this host was taken back, or somebody asked to stop its job.
    case leases(HostID)
    /// Signals may have been lost: look at everything.
    case missed
}
