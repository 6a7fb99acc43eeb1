package import Database
package import Domain

/// The rows of what hosts have and the database lacks.
package struct RecoveryFindStore: Sendable {
    package init() {}

    package func insert(_ find: RecoveryFind, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO recovery_find (host_id, kind, subject, site_id, number, digest, found_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (host_id, kind, subject, number) DO NOTHING
            """,
            [
                SQLValue(find.host), .text(find.kind.rawValue), .text(find.subject), SQLValue(find.site),
                .integer(find.number), find.digest.map { SQLValue($0) } ?? .null, SQLValue(find.foundAt),
            ])
    }

    /// Those that nobody has accepted yet, or all.
    package func list(
        includingAccepted: Bool = false, in transaction: any SQLTransaction
    ) async throws -> [RecoveryFind] {
        try await transaction.query(
            """
            SELECT * FROM recovery_find WHERE accepted_at IS NULL OR $1 = 1
            ORDER BY kind, subject, number, host_id LIMIT 10000
            """, [SQLValue(includingAccepted)]
        ).map { row in
            RecoveryFind(
                host: try row.identifier("host_id"), kind: try row.word("kind"), subject: try row.text("subject"),
                site: try row.optionalIdentifier("site_id"), number: try row.integer("number"),
                digest: try row.optionalText("digest") == nil ? nil : try row.digest("digest"),
                foundAt: try row.timestamp("found_at"), isAccepted: try row.optionalInteger("accepted_at") != nil)
        }
    }

    package func acceptAll(at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE recovery_find SET accepted_at = $1 WHERE accepted_at IS NULL", [SQLValue(now)])
    }
}
