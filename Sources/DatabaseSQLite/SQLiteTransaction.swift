import BlockingIO
import Database
import GRDB
import Synchronization

/// One open transaction on one connection.
final class SQLiteTransaction: SQLTransaction {
    private let queue: DatabaseQueue
    private let pool: BlockingPool
    private let firstRefusal = Mutex<SQLError?>(nil)

    init(queue: DatabaseQueue, pool: BlockingPool) {
        self.queue = queue
        self.pool = pool
    }

    /// Why the transaction cannot be committed any more.
    var refusal: SQLError? { firstRefusal.withLock { $0 } }

    @discardableResult
    func execute(_ statement: String, _ parameters: [SQLValue]) async throws -> Int {
        try await access { database in
            let prepared = try database.cachedStatement(sql: statement)
            let before = database.totalChangesCount
            try prepared.execute(arguments: try Self.arguments(parameters))
            return database.totalChangesCount - before
        }
    }

    func query(_ statement: String, _ parameters: [SQLValue]) async throws -> [SQLRow] {
        try await access { database in
            let prepared = try database.cachedStatement(sql: statement)
            let columns = SQLColumns(prepared.columnNames)
            return try Row.fetchAll(prepared, arguments: try Self.arguments(parameters)).map { row in
                SQLRow(columns, row.databaseValues.map { Self.value($0.storage) })
            }
        }
    }

    /// Runs a statement that begins or ends the transaction.
    func run(_ statement: String) async throws {
        try await access { try $0.execute(sql: statement) }
    }

    private func access<Value: Sendable>(
        _ body: @escaping @Sendable (GRDB.Database) throws -> Value
    ) async throws -> Value {
        try await pool.run { [self] in
            do {
                return try queue.writeWithoutTransaction(body)
            } catch {
                let refusal = error as? SQLError ?? SQLError(translating: error)
                firstRefusal.withLock { $0 = $0 ?? refusal }
                throw refusal
            }
        }
    }

    /// `$1` is a named parameter for SQLite; its name is `1`.
    private static func arguments(_ parameters: [SQLValue]) throws -> StatementArguments {
        var arguments: [String: (any DatabaseValueConvertible)?] = [:]
        for (index, parameter) in parameters.enumerated() {
            let value: (any DatabaseValueConvertible)? =
                switch parameter {
                case .null: nil
                case .integer(let value): value
                case .text(let value): try SQLValue.checkedText(value)
                case .blob(let bytes): DatabaseValue.blob(bytes)
                }
            arguments[String(index + 1)] = .some(value)
        }
        return StatementArguments(arguments)
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
