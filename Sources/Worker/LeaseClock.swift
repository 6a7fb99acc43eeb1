/// Until when this host may work for a lease, by its own monotonic clock.
///
/// The coordinator counts a lease from when it got the renewal; this side counts from when the renewal was *sent* and
/// stops a quarter earlier. So work has ended here before it can begin elsewhere, whatever the network did meanwhile.
struct LeaseClock: Sendable {
    private let allowance: Duration
    private var renewedAt: ContinuousClock.Instant
    /// When heartbeats with the lease were sent that nobody has answered yet, the oldest first.
    private var unanswered: [ContinuousClock.Instant] = []
    /// Answers come in order; more than this many outstanding mean that some will never come.
    private static let maximumUnanswered = 2

    /// - Parameter leaseDuration: of the offer; three quarters of it are used.
    init(leaseDuration: Duration, offeredAt: ContinuousClock.Instant) {
        allowance = leaseDuration * 3 / 4
        renewedAt = offeredAt
    }

    var deadline: ContinuousClock.Instant { renewedAt + allowance }

    mutating func heartbeatSent(at now: ContinuousClock.Instant) {
        unanswered.append(now)
        if unanswered.count > Self.maximumUnanswered { unanswered.removeFirst() }
    }

    /// The coordinator confirmed the oldest heartbeat that it had not answered.
    mutating func renewed() {
        guard !unanswered.isEmpty else { return }
        renewedAt = max(renewedAt, unanswered.removeFirst())
    }

    /// What was sent on a session that is over will not be answered.
    mutating func sessionEnded() { unanswered.removeAll() }
}
