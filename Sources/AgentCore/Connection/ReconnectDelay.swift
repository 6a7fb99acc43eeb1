/// How long to wait before the next try: anything between nothing and a bound that doubles with each failure, so that a
/// thousand hosts that lost their coordinator at once do not all come back at once.
package struct ReconnectDelay: Sendable {
    package let first: Duration
    package let last: Duration

    package init(first: Duration, last: Duration) {
        self.first = first
        self.last = last
    }

    /// The bound after so many failures in a row.
    package func bound(afterFailures failures: Int) -> Duration {
        guard failures > 0 else { return .zero }
        return min(last, first * (1 << min(20, failures - 1)))
    }

    package func delay(afterFailures failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        bound(afterFailures: failures) * Double.random(in: 0...1, using: &generator)
    }

    package func delay(afterFailures failures: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return delay(afterFailures: failures, using: &generator)
    }
}
