/// One member's view of a ``TransactionGroup``.
struct GroupedTransaction: SQLTransaction {
    let group: TransactionGroup
    let member: Int

    @discardableResult
    func execute(_ statement: String, _ parameters: [SQLValue]) async throws -> Int {
        let answer = try await group.ask([SQLStatement(statement, parameters)], isChange: true, of: member)
        guard case .changed(let count) = answer else { throw SQLError(.other, "there is no answer to the statement") }
        return count
    }

    func query(_ statement: String, _ parameters: [SQLValue]) async throws -> [SQLRow] {
        try await queries([SQLStatement(statement, parameters)])[0]
    }

    func queries(_ statements: [SQLStatement]) async throws -> [[SQLRow]] {
        guard !statements.isEmpty else { return [] }
        let answer = try await group.ask(statements, isChange: false, of: member)
        guard case .rows(let rows) = answer, rows.count == statements.count else {
            throw SQLError(.other, "there is not an answer to each statement")
        }
        return rows
    }

    func post(_ statement: String, _ parameters: [SQLValue]) async throws {
        try group.post(.statement(SQLStatement(statement, parameters)), last: false, of: member)
    }

    func postLast(_ statement: String, _ parameters: [SQLValue]) async throws {
        try group.post(.statement(SQLStatement(statement, parameters)), last: true, of: member)
    }

    func post(_ change: SQLRowChange, _ row: [SQLValue]) async throws {
        try group.post(.row(change, row), last: false, of: member)
    }

    func postLast(_ change: SQLRowChange, _ row: [SQLValue]) async throws {
        try group.post(.row(change, row), last: true, of: member)
    }
}
