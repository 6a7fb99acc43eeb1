import BlockingIO
package import Database
package import Logging
import Synchronization

/// PostgreSQL behind ``SQLDatabase``, by libpq.
///
/// **Isolation.** Writing transactions are READ COMMITTED under locks that are taken before the first statement:
/// ``SQLScope/everything`` holds one advisory lock alone; ``SQLScope/only(_:)`` shares it and holds one lock for each of
/// its keys alone. So whoever decides on what it read knows that nobody changed it, as with SQLite's one writer, in
/// this process and in all others. SERIALIZABLE would not do: nearly every transaction takes the next number of one
/// counter, which makes every pair of them a conflict, and each conflict a transaction done twice. Readers are REPEATABLE
/// READ on one snapshot and wait for no writer.
///
/// **Durability.** A transaction that was reported committed is on the server's disk, and on its synchronous standbys.
/// When there are none, locks are not held while the disk is written: see ``CommitBarrier``.
///
/// **The one rule for trying again.** A transaction that the server ended with SQLSTATE 40001 (serialization failure)
/// or 40P01 (deadlock), or because a migration made a prepared statement stale, runs again from its beginning, at most
/// ``attempts`` times in all, after a random pause of up to 10, 20, 40 … milliseconds. Nothing else is tried again
/// by itself; least of all a commit whose answer was lost, which is ``SQLError/Kind/outcomeUnknown``.
///
/// **Ends of tasks.** When the task of a transaction is cancelled, its statement is stopped on the server and the
/// transaction rolled back. A commit on its way is waited for.
package final class PostgresDatabase: SQLDatabase {
    /// How often a transaction is begun at most.
    package static let attempts = 6

    package let settings: PostgresSettings
    private let writers: PostgresPool
    private let writersAhead: PostgresPool
    private let readers: PostgresPool
    private let barrier: CommitBarrier
    /// Whether commits are waited for by the barrier.
    private let isAhead = Atomic(false)

    /// Opens nothing yet. Throws ``SQLError`` when this machine is out of descriptors.
    package init(_ settings: PostgresSettings, logger: Logger) throws {
        self.settings = settings
        let readiness = try SocketReadiness()
        let blocking = BlockingPool(label: "pagewright.postgres", width: 4)
        func pool(_ role: PostgresRole, _ limit: Int) -> PostgresPool {
            PostgresPool(
                settings, role: role, limit: limit, readiness: readiness, blocking: blocking, logger: logger)
        }
        writers = pool(.writing, settings.writers)
        writersAhead = pool(.writingAhead, settings.writers)
        readers = pool(.reading, settings.readers)
        barrier = CommitBarrier(pool(.flushing, 1), limit: settings.statementTimeout)
    }

    /// Connects, and looks whether the database is one that can be used: it takes writes, holds Unicode, and sorts text
    /// by its bytes. Throws ``SQLError`` with a message that says what to do.
    @discardableResult
    package func verify() async throws -> PostgresFacts {
        let row = try await transact(in: writers, opening: [.beginWriting]) { transaction in
            try await transaction.query(
                """
                SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
                    current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
                    current_setting('synchronous_commit') AS commits,
                    current_setting('synchronous_standby_names') AS standbys,
                    ('B' < 'a' AND 'a' < '~' AND 'a b' < 'ab' AND '_' < 'a')::INT AS sorts_bytes
                """)[0]
        }
        let encoding = try row.text("encoding")
        guard encoding == "UTF8" else {
            throw SQLError(
                .unsuitable,
                "\(settings.address) holds \(encoding): make the database with ENCODING 'UTF8' LOCALE 'C.UTF-8'")
        }
        guard try row.boolean("sorts_bytes") else {
            throw SQLError(
                .unsuitable,
                "\(settings.address) sorts text as a language does: make the database with TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
            )
        }
        let standbys = try row.text("standbys")
        // With synchronous standbys a commit shows to others only when it is safe there, as the server does by itself.
        isAhead.store(standbys.isEmpty, ordering: .relaxed)
        return PostgresFacts(
            version: try row.text("version"),
            isDurable: try row.text("fsync") == "on" && row.text("pages") == "on" && row.text("commits") != "off",
            synchronousStandbys: standbys)
    }

    @discardableResult
    package func withTransaction<Value: Sendable>(
        on scope: SQLScope, _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        try await transact(
            in: isAhead.load(ordering: .relaxed) ? writersAhead : writers, opening: [.beginWriting, .lock(scope)], body)
    }

    package func read<Value: Sendable>(
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        try await Self.reading {
            try await transact(
                in: readers,
                opening: isAhead.load(ordering: .relaxed) ? [.beginReading, .logPosition] : [.beginReading], body)
        }
    }

    package func queries(_ statements: [SQLStatement], isHint: Bool) async throws -> [[SQLRow]] {
        guard !statements.isEmpty else { return [] }
        let looksAtDisk = !isHint && isAhead.load(ordering: .relaxed)
        return try await Self.reading {
            try await attempts(in: readers, opening: []) { try await $0.ask(statements, looksAtDisk: looksAtDisk) }
        }
    }

    /// A reader has changed nothing, so there is no outcome to be unsure of.
    private static func reading<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as SQLError where error.kind == .outcomeUnknown {
            throw SQLError(.connectionLost, error.message)
        }
    }

    /// The server's identifier, which every restore from a base backup shares, and the timeline, which changes with every
    /// promotion and every restore to a point in time. A standby says the timeline that it follows.
    package func storageIdentity() async throws -> String? {
        try await read { transaction in
            let row = try await transaction.query(
                """
                SELECT (SELECT system_identifier FROM pg_control_system())::TEXT AS system,
                    CASE WHEN pg_is_in_recovery()
                        THEN upper(lpad(to_hex((SELECT timeline_id FROM pg_control_checkpoint())), 8, '0'))
                        ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline
                """)[0]
            return try "postgres:\(row.text("system")):\(row.text("timeline"))"
        }
    }

    private func transact<Value: Sendable>(
        in pool: PostgresPool, opening: [PostgresStatement],
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        try await attempts(in: pool, opening: opening) { transaction in
            let value = try await body(transaction)
            try Task.checkCancellation()
            return (value, isDurable: try await transaction.commit())
        }
    }

    /// Runs `body`, which ends the transaction and says whether all that it did and saw is on the disk.
    private func attempts<Value: Sendable>(
        in pool: PostgresPool, opening: [PostgresStatement],
        _ body: @Sendable (PostgresTransaction) async throws -> (Value, isDurable: Bool)
    ) async throws -> Value {
        var attempt = 1
        while true {
            let outcome: Outcome<Value>
            do {
                outcome = try await pool.withConnection { connection in
                    try await self.attempt(on: connection, opening: opening, body)
                }
            } catch let error where pool === writersAhead && !(error is SQLError) && !(error is CancellationError) {
                // It may have been refused for what it saw of others, such as the answer to the same request: that is
                // told when it is on the disk.
                try await barrier.pass()
                throw error
            }
            switch outcome {
            case .committed(let value, let isDurable):
                // After the connection was given back: others use it while the disk is written.
                if !isDurable { try await barrier.pass() }
                return value
            case .conflict(let error):
                if error.message.contains(SQLError.stalePlan) { pool.renewAll() }
                guard attempt < Self.attempts else { throw error }
                try await Task.sleep(for: .milliseconds(10 << (attempt - 1)) * Double.random(in: 0...1))
                attempt += 1
            }
        }
    }

    private enum Outcome<Value: Sendable>: Sendable {
        case committed(Value, isDurable: Bool)
        /// Another transaction was in the way.
        case conflict(SQLError)
    }

    private func attempt<Value: Sendable>(
        on connection: PostgresConnection, opening: [PostgresStatement],
        _ body: @Sendable (PostgresTransaction) async throws -> (Value, isDurable: Bool)
    ) async throws -> Outcome<Value> {
        let transaction = PostgresTransaction(connection, settings: settings, opening: opening)
        do {
            let (value, isDurable) = try await body(transaction)
            return .committed(value, isDurable: isDurable)
        } catch {
            await transaction.rollBack()
            // Whatever the body made of a conflict, it is one.
            if let refusal = transaction.refusal ?? error as? SQLError, refusal.kind == .serializationFailure {
                return .conflict(refusal)
            }
            throw error
        }
    }
}
