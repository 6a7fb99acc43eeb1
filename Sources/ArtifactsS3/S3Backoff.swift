/// How often, and after what pauses, a request that failed for a passing reason is made again.
struct S3Backoff: Sendable {
    let attempts: Int
    private let first = Duration.milliseconds(100)
    private let longest = Duration.seconds(5)

    /// For what somebody waits for: about 2 s in all.
    static let brisk = S3Backoff(attempts: 5)
    /// For what would be dear to begin anew: about 15 s in all, enough for a server to start again.
    static let patient = S3Backoff(attempts: 9)
    /// To see how things are.
    static let none = S3Backoff(attempts: 1)

    private init(attempts: Int) {
        self.attempts = attempts
    }

    /// The pause after the `failures`-th failure in a row: half of a doubling time and up to as much again, so that many
    /// clients do not come back together. What the server asks for is kept, up to the longest pause.
    func pause(after failures: Int, asked: Duration?, using generator: inout some RandomNumberGenerator) -> Duration {
        let doubled = min(longest, first * (1 << min(10, max(0, failures - 1))))
        let jittered = doubled / 2 + (doubled / 2) * Double.random(in: 0...1, using: &generator)
        return min(longest, max(jittered, asked ?? .zero))
    }
}
