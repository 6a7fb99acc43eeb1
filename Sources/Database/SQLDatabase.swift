/// Where all truth is kept. Two drivers stand behind this, and one conformance suite runs against both.
///
/// Statements are portable SQL with `$1`, `$2` … for parameters; booleans are integers 0 and 1. A text never holds
/// the character U+0000. Text sorts by its bytes.
package protocol SQLDatabase: Sendable {
    /// Runs `body` in one transaction that may write: all of it is durable when this returns, nothing of it when
    /// this throws, except for ``SQLError/Kind/outcomeUnknown``. Writers wait for each other as `scope` says. The body
    /// may run again after a serialization failure, so it has no effects but through the transaction. After a
    /// statement was refused the transaction is lost: it is rolled back and that refusal thrown, even when the body
    /// returns.
    @discardableResult
    func withTransaction<Value: Sendable>(
        on scope: SQLScope, _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value

    /// Runs `body` on one consistent snapshot; statements that write throw.
    func read<Value: Sendable>(
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value
}

extension SQLDatabase {
    /// A transaction that may touch every row: one at a time.
    @discardableResult
    package func withTransaction<Value: Sendable>(
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        try await withTransaction(on: .everything, body)
    }
}

/// An open transaction; of no use once its body has returned.
package protocol SQLTransaction: Sendable {
    /// Runs one statement and returns how many rows it changed.
    @discardableResult
    func execute(_ statement: String, _ parameters: [SQLValue]) async throws -> Int
    /// Runs one statement and returns its rows.
    func query(_ statement: String, _ parameters: [SQLValue]) async throws -> [SQLRow]
}

extension SQLTransaction {
    @discardableResult
    package func execute(_ statement: String) async throws -> Int { try await execute(statement, []) }

    package func query(_ statement: String) async throws -> [SQLRow] { try await query(statement, []) }
}
