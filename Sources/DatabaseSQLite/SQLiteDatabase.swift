import BlockingIO
package import Database
import GRDB
import Synchronization

/// SQLite behind ``SQLDatabase``: one file, one writer at a time, readers beside it on snapshots of their own.
///
/// All writers wait for each other, whatever their scope. WAL with `synchronous=FULL`: a transaction that was reported durable survives a power cut. Connections block, so
/// they are used on threads of their own pool.
package final class SQLiteDatabase: SQLDatabase {
    private static let readerCount = 4
    /// How long a statement waits for another process (`pagewright-coordinator invite`) to finish its transaction.
    private static let busyTimeoutInSeconds = 10.0

    private let pool: BlockingPool
    private let writer: DatabaseQueue
    private let writing = AsyncSlots(1)
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
        defer { writing.release() }
        return try await transact(on: writer, beginning: "BEGIN IMMEDIATE", body)
    }

    package func read<Value: Sendable>(
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        try await reading.acquire()
        defer { reading.release() }
        let reader = idleReaders.withLock { $0.removeLast() }
        defer { idleReaders.withLock { $0.append(reader) } }
        return try await transact(on: reader, beginning: "BEGIN DEFERRED", body)
    }

    private func transact<Value: Sendable>(
        on queue: DatabaseQueue, beginning begin: String, _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        let transaction = SQLiteTransaction(queue: queue, pool: pool)
        try await transaction.run(begin)
        do {
            let value = try await body(transaction)
            // As in PostgreSQL: a refused statement cannot be passed over.
            if let refusal = transaction.refusal { throw refusal }
            try await transaction.run("COMMIT")
            return value
        } catch {
            // A cancelled task must roll back too, so this does not inherit the cancellation. It fails only when
            // SQLite rolled back by itself (a full disk), which is what was wanted.
            _ = await Task.detached { try? await transaction.run("ROLLBACK") }.value
            throw error
        }
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
