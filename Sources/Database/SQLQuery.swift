/// A statement with its parameters.
package struct SQLStatement: Sendable {
    package let text: String
    package let parameters: [SQLValue]
    /// What it is when it asks for the rows of one key.
    let lookup: SQLLookup?

    package init(_ text: String, _ parameters: [SQLValue] = []) {
        self.text = text
        self.parameters = parameters
        lookup = nil
    }

    package init(_ lookup: SQLLookup, _ key: SQLValue) {
        text = lookup.text(of: 1)
        parameters = [key]
        self.lookup = lookup
    }
}

/// A question to the database, and how its rows are understood. Several of them can be asked in one round trip.
package struct SQLQuery<Value: Sendable>: Sendable {
    package let statement: SQLStatement
    let decode: @Sendable ([SQLRow]) throws -> Value

    package init(
        _ text: String, _ parameters: [SQLValue], decode: @escaping @Sendable ([SQLRow]) throws -> Value
    ) {
        statement = SQLStatement(text, parameters)
        self.decode = decode
    }

    package init(_ lookup: SQLLookup, _ key: SQLValue, decode: @escaping @Sendable ([SQLRow]) throws -> Value) {
        statement = SQLStatement(lookup, key)
        self.decode = decode
    }
}

extension SQLTransaction {
    package func answer<Value>(_ query: SQLQuery<Value>) async throws -> Value {
        guard let rows = try await queries([query.statement]).first else {
            throw SQLError(.other, "there is no answer to the statement")
        }
        return try query.decode(rows)
    }

    /// Asks everything at once: none of the questions may need the answer to another.
    ///
    /// - Parameter isLast: whether a reader asks nothing after this; see ``lastQueries(_:)``.
    package func answers<each Value>(
        _ query: repeat SQLQuery<each Value>, isLast: Bool = false
    ) async throws -> (repeat each Value) {
        var statements: [SQLStatement] = []
        for statement in repeat (each query).statement { statements.append(statement) }
        let answers = try await isLast ? lastQueries(statements) : queries(statements)
        guard answers.count == statements.count else {
            throw SQLError(.other, "there is not an answer to each statement")
        }
        var rest = answers[...]
        return (repeat try (each query).decode(rest.removeFirst()))
    }
}
