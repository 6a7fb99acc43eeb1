/// Until when this host may work for a lease, by its own monotonic clock.
///
/// The coordinator counts a lease from when it got the renewal; this side counts from when the renewal was *sent* and
/// stops a quarter earlier. So work has ended here before it can begin elsewhere, whatever the network did meanwhile.
package struct LeaseClock<Instant: InstantProtocol>: Sendable where Instant.Duration == Duration {
    private let allowance: Duration
    private var renewedAt: Instant
    /// When heartbeats with the lease were sent that nobody has answered yet, the oldest first.
    private var unanswered: [Instant] = []
    /// Answers come in order; more than this many outstanding mean that some will never come.
    private static var maximumUnanswered: Int { 2 }

    /// - Parameter leaseDuration: of the offer; three quarters of it are used.
    package init(leaseDuration: Duration, offeredAt: Instant) {
        allowance = leaseDuration * 3 / 4
        renewedAt = offeredAt
    }

    package var deadline: Instant { renewedAt.advanced(by: allowance) }

    package mutating func heartbeatSent(at now: Instant) {
        unanswered.append(now)
        if unanswered.count > Self.maximumUnanswered { unanswered.removeFirst() }
    }

    /// The coordinator confirmed the oldest heartbeat that it had not answered.
    package mutating func renewed() {
        guard !unanswered.isEmpty else { return }
        renewedAt = max(renewedAt, unanswered.removeFirst())
    }

    /// What was sent on a session that is over will not be answered.
    package mutating func sessionEnded() { unanswered.removeAll() }
}
