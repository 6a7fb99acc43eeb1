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

    /// What the server says that it is: another text after a restore to another time, a promotion, or on another server.
    /// `nil` when it does not say, as a file does not.
    func storageIdentity() async throws -> String?

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

    package func storageIdentity() async throws -> String? { nil }
}

/// An open transaction; of no use once its body has returned.
package protocol SQLTransaction: Sendable {
    /// Runs one statement and returns how many rows it changed.
    @discardableResult
    func execute(_ statement: String, _ parameters: [SQLValue]) async throws -> Int
    /// Runs one statement and returns its rows.
    func query(_ statement: String, _ parameters: [SQLValue]) async throws -> [SQLRow]
    /// Runs statements in their order and returns the rows of each; over a network in one round trip.
    func queries(_ statements: [SQLStatement]) async throws -> [[SQLRow]]
    /// Runs a statement, in its turn, whose outcome nobody asks for: over a network it travels together with the next one.
    /// When it is refused, the next one or the commit throws that.
    func post(_ statement: String, _ parameters: [SQLValue]) async throws
    /// The same behind all others, together with the commit: for a row that many transactions change, so that they wait
    /// for each other as short as can be. The transaction itself does not see what it did.
    func postLast(_ statement: String, _ parameters: [SQLValue]) async throws
}

extension SQLTransaction {
    package func queries(_ statements: [SQLStatement]) async throws -> [[SQLRow]] {
        var answers: [[SQLRow]] = []
        for statement in statements { answers.append(try await query(statement.text, statement.parameters)) }
        return answers
    }

    package func post(_ statement: String, _ parameters: [SQLValue]) async throws {
        try await execute(statement, parameters)
    }

    package func postLast(_ statement: String, _ parameters: [SQLValue]) async throws {
        try await execute(statement, parameters)
    }

    @discardableResult
    package func execute(_ statement: String) async throws -> Int { try await execute(statement, []) }

    package func query(_ statement: String) async throws -> [SQLRow] { try await query(statement, []) }
}
