/// Runs something after every wake-up, and after every interval without one.
struct WakeUpsOrTime: Sendable {
    enum Reason: Sendable { case wakeUp, time }

    let changes: AsyncStream<Void>
    let interval: Duration

    /// Runs until cancelled, or until `body` throws.
    func forEach(_ body: (Reason) async throws -> Void) async throws {
        let (reasons, continuation) = AsyncStream.makeStream(of: Reason.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [changes] in
                for await _ in changes { continuation.yield(.wakeUp) }
            }
            group.addTask { [interval] in
                while !Task.isCancelled {
                    try await Task.sleep(for: interval)
                    continuation.yield(.time)
                }
            }
            defer { group.cancelAll() }
            for await reason in reasons { try await body(reason) }
            try Task.checkCancellation()
        }
    }
}
