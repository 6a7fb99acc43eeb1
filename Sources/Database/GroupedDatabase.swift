import Synchronization

/// A database whose transactions of different keys that come at the same time are done together, for those that are short
/// and many. Everything else goes to the database as it is.
///
/// As long as few are under way, each begins at once and alone. Those that come meanwhile wait until one has only to be
/// committed, and then go together, as a ``TransactionGroup``: they share its round trips, its statements and its write to the disk. Each is
/// still decided by its own body, and reported when the commit is durable. A group that fails took no effect; each of it is
/// then done alone, so that none fails for another's sake. A body waits for nothing but its transaction: the others
/// of its group wait for it.
///
/// Whoever is cancelled while it waits for its turn has done nothing. Once its group is under way, it is committed all the
/// same, unless its body gives up.
package final class GroupedDatabase: SQLDatabase {
    /// How many go together at most.
    package static let limit = 32
    /// From so many that wait on, they go one group at a time: a large group costs each of its transactions less than a
    /// second one beside it would gain. (64 side by side on PostgreSQL and two processors: 1,560 a second instead of 1,340;
    /// 16 side by side never come here, and would lose a tenth by it.)
    package static let crowd = 16

    private enum Turn: Sendable {
        case alone(UInt64)
        case member(GroupedTransaction)
    }

    private struct Waiting {
        let number: UInt64
        let keys: Set<String>
        let continuation: CheckedContinuation<Turn, any Error>
    }

    private struct State {
        var nextNumber: UInt64 = 0
        /// When each that is under way began.
        var underWay: [UInt64: ContinuousClock.Instant] = [:]
        /// In the order in which they came.
        var waiting: [Waiting] = []
        var isWatched = false
        /// Cancelled before they stood in the line.
        var cancelled: Set<UInt64> = []

        mutating func takeNumber() -> UInt64 {
            nextNumber += 1
            return nextNumber
        }
    }

    private let database: any SQLDatabase
    /// How many are under way side by side before the next have to wait.
    private let width: Int
    /// What is under way for longer does not keep others from beginning: it waits for a lock or a slow disk.
    private let patience: Duration
    private let state = Mutex(State())

    package init(_ database: any SQLDatabase, width: Int = 2, patience: Duration = .milliseconds(50)) {
        self.database = database
        self.width = width
        self.patience = patience
    }

    /// How many wait for their turn at this moment.
    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    package func storageIdentity() async throws -> String? { try await database.storageIdentity() }

    package func read<Value: Sendable>(
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        try await database.read(body)
    }

    package func queries(_ statements: [SQLStatement], isHint: Bool) async throws -> [[SQLRow]] {
        try await database.queries(statements, isHint: isHint)
    }

    @discardableResult
    package func withTransaction<Value: Sendable>(
        on scope: SQLScope, _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        guard case .only(let keys) = scope else { return try await database.withTransaction(on: scope, body) }
        switch try await turn(of: keys) {
        case .alone(let number):
            defer { end(number) }
            return try await database.withTransaction(on: scope) { transaction in
                let value = try await body(transaction)
                // The next begin while this one is committed and the disk is written.
                end(number)
                return value
            }
        case .member(let transaction):
            let (group, member) = (transaction.group, transaction.member)
            let value: Value
            do {
                value = try await body(transaction)
            } catch {
                if await group.leave(member) { throw error }
                // Whether it threw because of the group shows when it is alone.
                return try await database.withTransaction(on: scope, body)
            }
            do {
                try await group.finish(member)
                return value
            } catch is TransactionGroup.Broken {
                return try await database.withTransaction(on: scope, body)
            }
        }
    }

    // MARK: Turns

    private func turn(of keys: Set<String>) async throws -> Turn {
        let (number, isNow) = state.withLock { state in
            let number = state.takeNumber()
            guard state.waiting.isEmpty, isFree(state) else { return (number, false) }
            state.underWay[number] = .now
            return (number, true)
        }
        if isNow { return .alone(number) }
        defer { state.withLock { _ = $0.cancelled.remove(number) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (isCancelled, watches) = state.withLock { state -> (Bool, Bool) in
                    if state.cancelled.remove(number) != nil { return (true, false) }
                    state.waiting.append(Waiting(number: number, keys: keys, continuation: continuation))
                    defer { state.isWatched = true }
                    return (false, !state.isWatched)
                }
                if isCancelled { return continuation.resume(throwing: CancellationError()) }
                // Somebody may have ended meanwhile.
                beginNext()
                // It serves all who wait, and ends when nobody does.
                if watches { Task { await self.watch() } }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Turn, any Error>? in
                if let index = state.waiting.firstIndex(where: { $0.number == number }) {
                    return state.waiting.remove(at: index).continuation
                }
                // It does not stand in the line yet, or its turn has come.
                state.cancelled.insert(number)
                return nil
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    private func isFree(_ state: State) -> Bool {
        let width = state.waiting.count < Self.crowd ? width : 1
        if state.underWay.count < width { return true }
        let limit = ContinuousClock.now - patience
        return state.underWay.values.count { $0 > limit } < width
    }

    private func end(_ number: UInt64) {
        let wasUnderWay = state.withLock { $0.underWay.removeValue(forKey: number) != nil }
        if wasUnderWay { beginNext() }
    }

    /// Lets those who wait begin, when there is room: one alone, or several of different keys together.
    private func beginNext() {
        let (number, chosen) = state.withLock { state -> (UInt64, [Waiting]) in
            guard !state.waiting.isEmpty, isFree(state) else { return (0, []) }
            var chosen: [Waiting] = []
            var rest: [Waiting] = []
            var keys: Set<String> = []
            for one in state.waiting {
                if chosen.count < Self.limit, keys.isDisjoint(with: one.keys) {
                    keys.formUnion(one.keys)
                    chosen.append(one)
                } else {
                    rest.append(one)
                }
            }
            state.waiting = rest
            let number = chosen.count == 1 ? chosen[0].number : state.takeNumber()
            state.underWay[number] = .now
            return (number, chosen)
        }
        guard chosen.count != 1 else { return chosen[0].continuation.resume(returning: .alone(number)) }
        guard !chosen.isEmpty else { return }
        let group = TransactionGroup(count: chosen.count)
        let keys = chosen.reduce(into: Set<String>()) { $0.formUnion($1.keys) }
        // It serves several tasks and outlives each; it ends with them.
        Task { await self.run(group, on: keys, as: number) }
        for (member, one) in chosen.enumerated() {
            one.continuation.resume(returning: .member(GroupedTransaction(group: group, member: member)))
        }
    }

    private func run(_ group: TransactionGroup, on keys: Set<String>, as number: UInt64) async {
        defer { end(number) }
        do {
            try await database.withTransaction(on: .only(keys)) { transaction in
                try await group.run(in: transaction)
                end(number)
            }
            group.end(.success(()))
        } catch {
            group.end(.failure(error))
        }
    }

    /// Looks whether what is under way is stuck, as long as somebody waits for it.
    private func watch() async {
        while true {
            try? await Task.sleep(for: patience)
            let isOver = state.withLock { state in
                if state.waiting.isEmpty { state.isWatched = false }
                return state.waiting.isEmpty
            }
            if isOver { return }
            beginNext()
        }
    }
}
