import Database

/// Finds out whether the database takes writes: by a write, because a full disk and a replica both answer questions well.
/// However often it is asked, it writes every few seconds at most.
actor WriteProbe {
    private static let interval = Duration.seconds(3)

    private let database: any SQLDatabase
    private var last: (begunAt: ContinuousClock.Instant, error: (any Error)?)?

    init(_ database: any SQLDatabase) {
        self.database = database
    }

    /// Throws why nothing can be written, as of a few seconds ago.
    func run() async throws {
        if let last, ContinuousClock.now - last.begunAt < Self.interval {
            if let error = last.error { throw error }
            return
        }
        let began = ContinuousClock.now
        // Whoever asks while this is under way is told what was so before.
        last = (began, last?.error)
        do {
            try await database.withTransaction(on: .only([])) { transaction in
                try await transaction.execute(
                    """
                    INSERT INTO counter (name, value) VALUES ('readiness', 1)
                    ON CONFLICT (name) DO UPDATE SET value = counter.value + 1
                    """)
            }
            last = (began, nil)
        } catch {
            // That whoever asked has left says nothing of the database.
            if !Task.isCancelled { last = (began, error) }
            throw error
        }
    }
}
