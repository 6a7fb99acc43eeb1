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

    /// Reads the rows of each statement, all of them on one consistent snapshot; over a network in one round trip.
    ///
    /// - Parameter isHint: whether a transaction will decide on it again. Then it may show what is committed and not on the
    ///   disk yet, which the server's crash could take back, and need not wait for the disk.
    func queries(_ statements: [SQLStatement], isHint: Bool) async throws -> [[SQLRow]]
}

extension SQLDatabase {
    package func queries(_ statements: [SQLStatement], isHint: Bool) async throws -> [[SQLRow]] {
        try await read { try await $0.queries(statements) }
    }

    package func queries(_ statements: [SQLStatement]) async throws -> [[SQLRow]] {
        try await queries(statements, isHint: false)
    }

    /// Asks one question; see ``queries(_:isHint:)``.
    package func answer<Value>(_ query: SQLQuery<Value>, isHint: Bool = false) async throws -> Value {
        guard let rows = try await queries([query.statement], isHint: isHint).first else {
            throw SQLError(.other, "there is no answer to the statement")
        }
        return try query.decode(rows)
    }

    /// Asks everything at once, on one snapshot: the short form of ``read(_:)`` where no question needs the answer to
    /// another.
    package func answers<each Value>(_ query: repeat SQLQuery<each Value>) async throws -> (repeat each Value) {
        var statements: [SQLStatement] = []
        for statement in repeat (each query).statement { statements.append(statement) }
        let answers = try await queries(statements)
        guard answers.count == statements.count else {
            throw SQLError(.other, "there is not an answer to each statement")
        }
        var rest = answers[...]
        return (repeat try (each query).decode(rest.removeFirst()))
    }

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
    /// The same for the last that a reader asks: over a network the end of the transaction travels with it. Nothing can be
    /// asked afterwards. In a transaction that writes it is ``queries(_:)``.
    func lastQueries(_ statements: [SQLStatement]) async throws -> [[SQLRow]]
    /// Runs a statement, in its turn, whose outcome nobody asks for: over a network it travels together with the next one.
    /// When it is refused, the next one or the commit throws that.
    func post(_ statement: String, _ parameters: [SQLValue]) async throws
    /// The same behind all others, together with the commit: for a row that many transactions change, so that they wait
    /// for each other as short as can be. The transaction itself does not see what it did.
    func postLast(_ statement: String, _ parameters: [SQLValue]) async throws
    /// Changes a row as ``post(_:_:)-(String,_)`` does.
    func post(_ change: SQLRowChange, _ row: [SQLValue]) async throws
    /// Changes a row as ``postLast(_:_:)-(String,_)`` does.
    func postLast(_ change: SQLRowChange, _ row: [SQLValue]) async throws
}

extension SQLTransaction {
    package func queries(_ statements: [SQLStatement]) async throws -> [[SQLRow]] {
        var answers: [[SQLRow]] = []
        for statement in statements { answers.append(try await query(statement.text, statement.parameters)) }
        return answers
    }

    package func lastQueries(_ statements: [SQLStatement]) async throws -> [[SQLRow]] {
        try await queries(statements)
    }

    package func post(_ statement: String, _ parameters: [SQLValue]) async throws {
        try await execute(statement, parameters)
    }

    package func postLast(_ statement: String, _ parameters: [SQLValue]) async throws {
        try await execute(statement, parameters)
    }

    package func post(_ change: SQLRowChange, _ row: [SQLValue]) async throws {
        for statement in change.statements(for: [row]) { try await post(statement.text, statement.parameters) }
    }

    package func postLast(_ change: SQLRowChange, _ row: [SQLValue]) async throws {
        for statement in change.statements(for: [row]) { try await postLast(statement.text, statement.parameters) }
    }

    @discardableResult
    package func execute(_ statement: String) async throws -> Int { try await execute(statement, []) }

    package func query(_ statement: String) async throws -> [SQLRow] { try await query(statement, []) }
}
