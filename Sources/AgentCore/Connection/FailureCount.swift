/// How many failures in a row a host's sessions count as, for ``ReconnectDelay``.
struct FailureCount: Sendable, Equatable {
    /// A session that was open for a moment shows that there is somebody: then the wait does not grow beyond a few
    /// seconds, however often it happens. With half a second at first, up to four seconds.
    private static let mostOfOpenSessions = 4
    /// How many times longer than others a session has to have lasted that ended in silence.
    private static let silenceFactor = 12

    private(set) var failures = 0

    /// Takes a session that ended.
    ///
    /// - Parameters:
    ///   - stable: how long a session has to last to be a good one.
    ///   - wasOpen: whether the coordinator had welcomed the host.
    ///   - wasSilent: whether it ended because a side heard nothing of the other. A coordinator with more hosts than it has
    ///     processors for opens sessions and then does not come to answer them: if all of these came back at once, it
    ///     never would. (5,000 agents beside their coordinator on two processors did that for as long as one looked.)
    mutating func note(lasting duration: Duration, stable: Duration, wasOpen: Bool, wasSilent: Bool) {
        if duration >= (wasSilent ? stable * Self.silenceFactor : stable) {
            failures = 1
        } else if wasOpen, !wasSilent {
            failures = min(failures + 1, Self.mostOfOpenSessions)
        } else {
            failures += 1
        }
    }

    mutating func reset() { failures = 0 }
}
