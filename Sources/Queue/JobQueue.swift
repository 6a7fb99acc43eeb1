package import Domain

/// Says which ready job is next. It holds identifiers only and decides nothing: the grant is made in the database,
/// and a queue that forgets, repeats or invents costs time, never a job.
package protocol JobQueue: Sendable {
    /// Adds ready jobs, to be given out when `delay` has passed. One that is there gets the new priority, label and
    /// delay. Higher priorities come first, then older jobs.
    func enqueue(_ entries: [QueueEntry], delay: Duration) async throws
    /// Adds those that are not there under their label, neither waiting nor delayed; the others stay as they are.
    func restore(_ entries: [QueueEntry]) async throws
    /// Takes the first entry out that has one of `labels`. Waits for nothing but the queue's own answer.
    func take(_ labels: Set<QueueLabel>) async throws -> QueueAnswer
    /// Forgets a job; harmless when it is not there.
    func remove(_ job: JobID) async throws
    /// How many entries there are, waiting and delayed, by label; labels without any may be missing.
    func depths() async throws -> [QueueLabel: Int]
    /// Yields when there may be something new for a taker, from now on, whoever added it. A hint too: ask now and then
    /// without one.
    func changes() -> AsyncStream<Void>
}

extension JobQueue {
    package func enqueue(_ entry: QueueEntry, delay: Duration = .zero) async throws {
        try await enqueue([entry], delay: delay)
    }

    /// How many entries there are.
    package func count() async throws -> Int { try await depths().values.reduce(0, +) }

    /// Waits for an entry; `nil` when `timeout` passes first. Throws `CancellationError` when cancelled, and then has
    /// taken nothing.
    package func dequeue(_ labels: Set<QueueLabel>, timeout: Duration) async throws -> QueueEntry? {
        let deadline = ContinuousClock.now + timeout
        // Subscribed before the first question, so that nothing falls between the two.
        let changes = changes()
        while true {
            try Task.checkCancellation()
            switch try await take(labels) {
            case .entry(let entry): return entry
            case .empty(let nextAfter):
                let rest = deadline - .now
                guard rest > .zero else { return nil }
                await Self.wait(for: changes, atMost: min(rest, nextAfter ?? rest))
            }
        }
    }

    /// Ends early when cancelled.
    private static func wait(for changes: AsyncStream<Void>, atMost duration: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in changes { return } }
            group.addTask { try? await Task.sleep(for: max(duration, .milliseconds(1))) }
            await group.next()
            group.cancelAll()
        }
    }
}
