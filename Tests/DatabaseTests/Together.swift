import Database

/// Keeps the first that comes under way until it is opened, so that those behind it become one group.
final class Gate: Sendable {
    private let opening = AsyncStream.makeStream(of: Void.self)
    private let arrival = AsyncStream.makeStream(of: Void.self)

    func pass() async {
        arrival.continuation.yield()
        for await _ in opening.stream { return }
    }

    func arrived() async { for await _ in arrival.stream { return } }

    func open() { opening.continuation.finish() }
}

/// Runs a body of `database` for each number, each on a key of its own, all of them as one group as far as that goes.
func together<Value: Sendable>(
    _ count: Int, in database: any SQLDatabase,
    _ body: @escaping @Sendable (Int64, any SQLTransaction) async throws -> Value
) async throws -> [Result<Value, any Error>] {
    let grouped = GroupedDatabase(database, width: 1, patience: .seconds(60))
    let gate = Gate()
    return await withTaskGroup(of: (Int, Result<Value, any Error>)?.self) { tasks in
        tasks.addTask {
            try? await grouped.withTransaction(on: .only(["gate"])) { _ in await gate.pass() }
            return nil
        }
        await gate.arrived()
        for number in 0..<count {
            tasks.addTask {
                do {
                    let value = try await grouped.withTransaction(on: .only(["\(number)"])) {
                        try await body(Int64(number), $0)
                    }
                    return (number, .success(value))
                } catch {
                    return (number, .failure(error))
                }
            }
        }
        while grouped.waitingCount < count { await Task.yield() }
        gate.open()
        var outcomes: [Int: Result<Value, any Error>] = [:]
        for await outcome in tasks { if let outcome { outcomes[outcome.0] = outcome.1 } }
        return (0..<count).compactMap { outcomes[$0] }
    }
}
