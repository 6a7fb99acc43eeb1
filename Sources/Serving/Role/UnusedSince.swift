/// Remembers since when things have not been used, so that they go only after a while.
struct UnusedSince {
    private var since: [String: ContinuousClock.Instant] = [:]

    var isEmpty: Bool { since.isEmpty }

    /// Takes all that is unused now and returns those that have been for `grace`.
    mutating func update(_ unused: [String], at now: ContinuousClock.Instant, grace: Duration) -> [String] {
        let still = Set(unused)
        since = since.filter { still.contains($0.key) }
        return unused.filter { path in
            let start = since[path] ?? now
            since[path] = start
            return now - start >= grace
        }
    }
}
