import BlockingIO
package import Database
import GRDB
import Synchronization

/// SQLite behind ``SQLDatabase``: one file, one writer at a time, readers beside it on snapshots of their own.
///
/// All writers wait for each other, whatever their scope. WAL with `synchronous=FULL`: a transaction that was reported
/// durable survives a power cut. When others wait for their turn, a transaction that is done is not committed by itself:
/// they go on in it, each under a savepoint, and all of them are committed, and reported, together (``SharedCommit``);
/// one that fails takes back its own rows only.
/// Connections block, so they are used on threads of their own pool.
package final class SQLiteDatabase: SQLDatabase {
    private static let readerCount = 4
    /// How many transactions are committed together at most.
    private static let sharedLimit = 32
    /// How long a statement waits for another process (`pagewright-coordinator invite`) to finish its transaction.
    private static let busyTimeoutInSeconds = 10.0

    private let pool: BlockingPool
    private let writer: DatabaseQueue
    private let writing = AsyncSlots(1)
    /// What is done and not committed yet; whoever has the turn to write goes on in it.
    private let shared = Mutex<SharedCommit?>(nil)
    private let idleReaders: Mutex<[DatabaseQueue]>
    private let reading: AsyncSlots

    /// Opens or makes the file at `path`. Throws ``SQLError`` when that cannot be done.
    package init(path: String) throws {
        pool = BlockingPool(label: "pagewright.sqlite", width: Self.readerCount + 1)
        reading = AsyncSlots(Self.readerCount)
        do {
            writer = try DatabaseQueue(path: path, configuration: Self.configuration(isReader: false))
            var readers: [DatabaseQueue] = []
            for _ in 0..<Self.readerCount {
                readers.append(try DatabaseQueue(path: path, configuration: Self.configuration(isReader: true)))
            }
            idleReaders = Mutex(readers)
        } catch {
            throw SQLError(translating: error)
        }
    }

    @discardableResult
    package func withTransaction<Value: Sendable>(
        on scope: SQLScope, _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        try await writing.acquire()
        let open = shared.withLock { $0 }
        let transaction = SQLiteTransaction(
            queue: writer, pool: pool,
            opening: open == nil ? ["BEGIN IMMEDIATE"] : ["SAVEPOINT one"])
        let own = open == nil ? [] : ["RELEASE one"]
        let value: Value
        var isShared = false
        do {
            value = try await body(transaction)
            // As in PostgreSQL: a refused statement cannot be passed over.
            if let refusal = transaction.refusal { throw refusal }
            if transaction.isUntouched {
                writing.release()
                return value
            }
            // Whoever waits for a turn to write can go on in the same commit.
            isShared = writing.isAwaited && (open?.count ?? 0) < Self.sharedLimit
            try await transaction.end(isShared ? own : own + ["COMMIT"])
        } catch {
            let hasLooked = !transaction.isUntouched
            await undo(transaction, in: open)
            writing.release()
            // It may have been refused for what it saw of the others, such as the answer to the same request: that is
            // told when it is on the disk. When it comes to nothing, so does the refusal.
            if hasLooked, let open { try await open.wait() }
            throw error
        }
        guard isShared else {
            shared.withLock { $0 = nil }
            open?.finish(.success(()))
            writing.release()
            return value
        }
        let commit = open ?? SharedCommit()
        shared.withLock { $0 = commit }
        // The commit serves many tasks and outlives the one that began it; it ends with its turn.
        if commit.join() { Task { await self.end(commit) } }
        writing.release()
        try await commit.wait()
        return value
    }

    /// Commits what was done together, unless one of those who came behind has done so.
    private func end(_ commit: SharedCommit) async {
        await writing.acquireEvenIfCancelled()
        defer { writing.release() }
        guard shared.withLock({ $0 === commit }) else { return }
        let transaction = SQLiteTransaction(queue: writer, pool: pool, opening: [])
        do {
            try await transaction.end(["COMMIT"])
            shared.withLock { $0 = nil }
            commit.finish(.success(()))
        } catch {
            _ = await transaction.undo(["ROLLBACK"])
            shared.withLock { $0 = nil }
            commit.finish(.failure(error))
        }
    }

    /// Undoes one transaction, in a cancelled task too: it alone, when others are to be committed that SQLite still has.
    private func undo(_ transaction: SQLiteTransaction, in open: SharedCommit?) async {
        guard let open else {
            _ = await transaction.undo(["ROLLBACK"])
            return
        }
        // SQLite rolls all of it back by itself when the disk is full, and when the commit failed there is nothing else
        // to be done.
        if await transaction.undo(["ROLLBACK TO one", "RELEASE one"]) { return }
        shared.withLock { $0 = nil }
        open.finish(.failure(transaction.refusal ?? SQLError(.other, "another transaction could not be undone alone")))
    }

    package func read<Value: Sendable>(
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        try await withReader { reader in
            let transaction = SQLiteTransaction(queue: reader, pool: pool, opening: ["BEGIN DEFERRED"])
            do {
                let value = try await body(transaction)
                if let refusal = transaction.refusal { throw refusal }
                if !transaction.isUntouched { try await transaction.end(["COMMIT"]) }
                return value
            } catch {
                _ = await transaction.undo(["ROLLBACK"])
                throw error
            }
        }
    }

    package func queries(_ statements: [SQLStatement], isHint: Bool) async throws -> [[SQLRow]] {
        try await withReader { reader in
            try await pool.run {
                do {
                    return try reader.writeWithoutTransaction { database in
                        // One statement has one snapshot by itself.
                        guard statements.count > 1 else {
                            return try statements.map { try SQLiteTransaction.rows(database, $0) }
                        }
                        try database.execute(sql: "BEGIN DEFERRED")
                        defer { if database.isInsideTransaction { try? database.execute(sql: "ROLLBACK") } }
                        let answers = try statements.map { try SQLiteTransaction.rows(database, $0) }
                        try database.execute(sql: "COMMIT")
                        return answers
                    }
                } catch {
                    throw error as? SQLError ?? SQLError(translating: error)
                }
            }
        }
    }

    private func withReader<Value: Sendable>(_ body: (DatabaseQueue) async throws -> Value) async throws -> Value {
        try await reading.acquire()
        defer { reading.release() }
        let reader = idleReaders.withLock { $0.removeLast() }
        defer { idleReaders.withLock { $0.append(reader) } }
        return try await body(reader)
    }

    private static func configuration(isReader: Bool) -> Configuration {
        var configuration = Configuration()
        // Transactions span several accesses; this type begins and ends them.
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(busyTimeoutInSeconds)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { database in
            if isReader {
                try database.execute(sql: "PRAGMA query_only=1")
            } else {
                try database.execute(sql: "PRAGMA journal_mode=WAL")
                try database.execute(sql: "PRAGMA synchronous=FULL")
            }
        }
        return configuration
    }
}
