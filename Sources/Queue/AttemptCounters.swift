/// Counts attempts for all coordinators together, such as those to guess a password.
package protocol AttemptCounters: Sendable {
    /// Counts one attempt for every key. When one of them had too many, nothing is counted and the time to wait is
    /// returned. Throws when the counters are out of reach.
    func admit(_ attempts: [CountedAttempt]) async throws -> Duration?
    /// Takes an attempt back.
    func forgive(_ attempt: CountedAttempt) async throws
    /// Forgets all attempts for a key.
    func forget(_ key: String) async throws
}

/// One attempt, and how many are allowed: `burst` at once, and then one more every `interval`.
package struct CountedAttempt: Sendable, Equatable {
    /// Says what is counted, without naming a person.
    package let key: String
    package let burst: Int
    package let interval: Duration

    package init(key: String, burst: Int, interval: Duration) {
        self.key = key
        self.burst = burst
        self.interval = interval
    }
}
