import BlockingIO
import Database
import GRDB
import Synchronization

/// One open transaction on one connection. It begins with its first statement; each step of it is one visit to the
/// connection's thread, which takes along what was posted since the last one.
final class SQLiteTransaction: SQLTransaction {
    private struct State {
        /// What begins the transaction and has not run yet.
        var opening: [String]
        var posted: [SQLStatement] = []
        var last: [SQLStatement] = []
        var refusal: SQLError?

        mutating func takeOpening() -> [String] {
            defer { opening = [] }
            return opening
        }

        mutating func takePosted() -> [SQLStatement] {
            defer { posted = [] }
            return posted
        }
    }

    /// So many statements wait for the next one at most.
    private static let postLimit = 64

    private let queue: DatabaseQueue
    private let pool: BlockingPool
    private let state: Mutex<State>
    private let turn = AsyncSlots(1)

    init(queue: DatabaseQueue, pool: BlockingPool, opening: [String]) {
        self.queue = queue
        self.pool = pool
        state = Mutex(State(opening: opening))
    }

    /// Why the transaction cannot be committed any more.
    var refusal: SQLError? { state.withLock { $0.refusal } }

    /// Whether nothing was asked or said in it.
    var isUntouched: Bool {
        state.withLock { !$0.opening.isEmpty && $0.posted.isEmpty && $0.last.isEmpty }
    }

    @discardableResult
    func execute(_ statement: String, _ parameters: [SQLValue]) async throws -> Int {
        try await access { try Self.change($0, SQLStatement(statement, parameters)) }
    }

    func query(_ statement: String, _ parameters: [SQLValue]) async throws -> [SQLRow] {
        try await access { try Self.rows($0, SQLStatement(statement, parameters)) }
    }

    func queries(_ statements: [SQLStatement]) async throws -> [[SQLRow]] {
        try await access { database in try statements.map { try Self.rows(database, $0) } }
    }

    func post(_ statement: String, _ parameters: [SQLValue]) async throws {
        let count = try state.withLock { state in
            if let refusal = state.refusal { throw refusal }
            state.posted.append(SQLStatement(statement, parameters))
            return state.posted.count
        }
        if count >= Self.postLimit { try await access { _ in } }
    }

    func postLast(_ statement: String, _ parameters: [SQLValue]) async throws {
        try state.withLock { state in
            if let refusal = state.refusal { throw refusal }
            state.last.append(SQLStatement(statement, parameters))
        }
    }

    /// Runs what is left, and then the statements that end the transaction or hand it on.
    func end(_ statements: [String]) async throws {
        let (last, hasMore) = state.withLock { state in
            defer { state.last = [] }
            return (state.last, !state.last.isEmpty || !state.posted.isEmpty)
        }
        guard hasMore || !statements.isEmpty else { return }
        try await access { database in
            for statement in last { _ = try Self.change(database, statement) }
            for statement in statements { try database.execute(sql: statement) }
        }
    }

    /// Undoes it with these statements, in a cancelled task too; when they are refused, everything that is open on the
    /// connection. Returns whether something is open there afterwards: SQLite rolls back by itself when the disk is full.
    func undo(_ statements: [String]) async -> Bool {
        await turn.acquireEvenIfCancelled()
        defer { turn.release() }
        let hasBegun = state.withLock { state in
            state.posted = []
            state.last = []
            return state.takeOpening().isEmpty
        }
        return await pool.runEvenIfCancelled { [queue] in
            queue.writeWithoutTransaction { database in
                guard hasBegun, database.isInsideTransaction else { return database.isInsideTransaction }
                do {
                    for statement in statements { try database.execute(sql: statement) }
                } catch {
                    try? database.execute(sql: "ROLLBACK")
                }
                return database.isInsideTransaction
            }
        }
    }

    private func access<Value: Sendable>(
        _ body: @escaping @Sendable (GRDB.Database) throws -> Value
    ) async throws -> Value {
        // In their order, should a body ask several things side by side.
        try await turn.acquire()
        defer { turn.release() }
        let (opening, posted) = try state.withLock { state in
            if let refusal = state.refusal { throw refusal }
            return (state.takeOpening(), state.takePosted())
        }
        do {
            return try await pool.run { [queue] in
                try queue.writeWithoutTransaction { database in
                    for statement in opening { try database.execute(sql: statement) }
                    for statement in posted { _ = try Self.change(database, statement) }
                    return try body(database)
                }
            }
        } catch is CancellationError {
            // It did not come to its turn.
            state.withLock { state in
                state.opening = opening + state.opening
                state.posted = posted + state.posted
            }
            throw CancellationError()
        } catch {
            let refusal = error as? SQLError ?? SQLError(translating: error)
            state.withLock { $0.refusal = $0.refusal ?? refusal }
            throw refusal
        }
    }

    /// Returns how many rows a statement changed.
    private static func change(_ database: GRDB.Database, _ statement: SQLStatement) throws -> Int {
        let prepared = try database.cachedStatement(sql: SQLiteText.shared.text(of: statement.text))
        let before = database.totalChangesCount
        try prepared.execute(arguments: try arguments(statement.parameters))
        return database.totalChangesCount - before
    }

    /// Returns the rows of a statement.
    static func rows(_ database: GRDB.Database, _ statement: SQLStatement) throws -> [SQLRow] {
        let prepared = try database.cachedStatement(sql: SQLiteText.shared.text(of: statement.text))
        let cursor = try Row.fetchCursor(prepared, arguments: try arguments(statement.parameters))
        var rows: [SQLRow] = []
        var columns: SQLColumns?
        while let row = try cursor.next() {
            let known = columns ?? KnownColumns.shared.columns(prepared.columnNames, of: statement.text)
            columns = known
            rows.append(SQLRow(known, row.databaseValues.map { value($0.storage) }))
        }
        return rows
    }

    private static func arguments(_ parameters: [SQLValue]) throws -> StatementArguments {
        // Of any values: for those of one type GRDB looks up a key path for each call, which takes longer than the rest.
        StatementArguments(
            try parameters.map { parameter -> (any DatabaseValueConvertible)? in
                switch parameter {
                case .null: nil
                case .integer(let value): value.databaseValue
                case .text(let value): try SQLValue.checkedText(value).databaseValue
                case .blob(let bytes): DatabaseValue.blob(bytes)
                }
            })
    }

    private static func value(_ storage: DatabaseValue.Storage) -> SQLValue {
        switch storage {
        case .null: .null
        case .int64(let value): .integer(value)
        // No column of ours holds one; a reader of the column will refuse the text.
        case .double(let value): .text(String(value))
        case .string(let value): .text(value)
        case .blob(let data): .blob(Array(data))
        }
    }
}
