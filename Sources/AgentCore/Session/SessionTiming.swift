/// How patient the session is. Heartbeats follow the interval that the coordinator names.
package struct SessionTiming: Sendable {
    /// The bound of the first wait after a lost session, and of the longest.
    package var firstDelay: Duration
    package var lastDelay: Duration
    /// From the first packet to the Welcome.
    package var opening: Duration
    /// A session that lived this long was a good one: waiting begins anew after it.
    package var stable: Duration

    package static let standard = SessionTiming(
        firstDelay: .milliseconds(500), lastDelay: .seconds(60), opening: .seconds(20), stable: .seconds(10))
    /// For a system on one machine, where nobody is overrun by a return.
    package static let local = SessionTiming(
        firstDelay: .milliseconds(100), lastDelay: .seconds(2), opening: .seconds(20), stable: .seconds(2))

    package init(firstDelay: Duration, lastDelay: Duration, opening: Duration, stable: Duration) {
        self.firstDelay = firstDelay
        self.lastDelay = lastDelay
        self.opening = opening
        self.stable = stable
    }
}
