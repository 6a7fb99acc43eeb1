package import Domain

/// Who knows the leases that this host still needs. The session asks right before each heartbeat, which renews them.
package protocol LeaseHolding: Sendable {
    /// Ask only when the answer is sent at once: a lease counts as renewed from the instant of this call.
    func leases() async -> [JobLease]
}
