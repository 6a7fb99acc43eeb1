/// How much longer leases last because nobody could renew them for a while: after a start, when another coordinator
/// took over, when the database was away, or when every session broke at once.
package struct ExpiryPause: Sendable {
    /// By how much, and for how long after the last such event.
    package let length: Duration
    private var since: ContinuousClock.Instant?

    package init(length: Duration) {
        self.length = length
    }

    /// Renewals could not be received until now.
    package mutating func begin(at now: ContinuousClock.Instant) { since = now }

    /// To be added to the end of every lease.
    package func extraGrace(at now: ContinuousClock.Instant) -> Duration {
        guard let since, now - since < length else { return .zero }
        return length
    }
}
