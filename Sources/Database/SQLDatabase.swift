/// Where all truth is kept. Two drivers stand behind this, and one conformance suite runs against both.
///
/// Statements are portable SQL with `$1`, `$2` … for parameters; booleans are integers 0 and 1.
package protocol SQLDatabase: Sendable {
    /// Runs `body` in one transaction that may write: all of it is durable when this returns, nothing of it when
    /// this throws. Writers wait for each other. The body may run again after a serialization failure, so it has
    /// no effects but through the transaction.
    @discardableResult
    func withTransaction<Value: Sendable>(
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value

    /// What the server says that it is: another text after a restore to another time, a promotion, or on another server.
    /// `nil` when it does not say, as a file does not.
    func storageIdentity() async throws -> String?

    /// Runs `body` on one consistent snapshot; statements that write throw.
    func read<Value: Sendable>(
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value
}

extension SQLDatabase {
    package func storageIdentity() async throws -> String? { nil }
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
