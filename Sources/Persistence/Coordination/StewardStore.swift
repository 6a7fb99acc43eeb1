package import Database
package import Domain

/// The one row that says which coordinator is the steward.
package struct StewardStore: Sendable {
    package init() {}

    package func find(in transaction: any SQLTransaction) async throws -> StewardRecord {
        guard let row = try await transaction.query("SELECT * FROM steward WHERE id = 1").first else {
            throw SQLError(.badRow, "the row of the steward is missing")
        }
        return StewardRecord(
            term: Term(number: try row.integer("term"), holder: try row.text("holder")),
            renewal: try row.integer("renewal"))
    }

    /// Begins the next term, if nothing happened since `record` was read; returns whether it did.
    package func take(
        after record: StewardRecord, holder: String, until expiresAt: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            UPDATE steward SET term = term + 1, holder = $1, renewal = 0, expires_at = $2
            WHERE id = 1 AND term = $3 AND holder = $4 AND renewal = $5
            """,
            [
                .text(holder), SQLValue(expiresAt), .integer(record.term.number), .text(record.term.holder),
                .integer(record.renewal),
            ]) == 1
    }

    /// Returns whether the term is still the current one.
    package func renew(
        _ term: Term, until expiresAt: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            "UPDATE steward SET renewal = renewal + 1, expires_at = $3 WHERE id = 1 AND term = $1 AND holder = $2",
            [.integer(term.number), .text(term.holder), SQLValue(expiresAt)]) == 1
    }

    /// Whether the term is the current one, and keeps it so until the transaction ends.
    package func confirm(_ term: Term, in transaction: any SQLTransaction) async throws -> Bool {
        try await transaction.execute(
            "UPDATE steward SET term = term WHERE id = 1 AND term = $1 AND holder = $2",
            [.integer(term.number), .text(term.holder)]) == 1
    }

    /// Leaves the office free, so that nobody has to wait.
    package func resign(_ term: Term, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE steward SET holder = '', expires_at = 0 WHERE id = 1 AND term = $1 AND holder = $2",
            [.integer(term.number), .text(term.holder)])
    }
}
