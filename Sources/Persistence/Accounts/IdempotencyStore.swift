package import Database
package import Domain

/// The rows of idempotency keys.
package struct IdempotencyStore: Sendable {
    package init() {}

    /// What is known of a key that has not expired.
    package func find(
        _ key: String, of operation: String, by user: UserID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> IdempotencyRecord? {
        try await transaction.query(
            "SELECT * FROM idempotency_key WHERE user_id = $1 AND operation = $2 AND key = $3 AND expires_at > $4",
            [SQLValue(user), .text(operation), .text(key), SQLValue(now)]
        ).first.map(Self.record)
    }

    /// Takes the key, and waits for another transaction that is about to. Returns `false` when it is taken; an expired
    /// row does not count.
    package func insert(
        _ record: IdempotencyRecord, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            "DELETE FROM idempotency_key WHERE user_id = $1 AND operation = $2 AND key = $3 AND expires_at <= $4",
            [SQLValue(record.user), .text(record.operation), .text(record.key), SQLValue(now)])
        return try await transaction.execute(
            """
            INSERT INTO idempotency_key (user_id, operation, key, fingerprint, expires_at)
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, operation, key) DO NOTHING
            """,
            [
                SQLValue(record.user), .text(record.operation), .text(record.key), SQLValue(record.fingerprint),
                SQLValue(record.expiresAt),
            ]) == 1
    }

    /// Puts the answer to a key that this transaction took.
    package func save(
        _ answer: IdempotencyRecord.Answer, for record: IdempotencyRecord, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            UPDATE idempotency_key SET status = $4, content_type = $5, body = $6
            WHERE user_id = $1 AND operation = $2 AND key = $3
            """,
            [
                SQLValue(record.user), .text(record.operation), .text(record.key), SQLValue(answer.status),
                SQLValue(answer.contentType), .blob(answer.body),
            ])
    }

    package func deleteExpired(at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute("DELETE FROM idempotency_key WHERE expires_at <= $1", [SQLValue(now)])
    }

    private static func record(_ row: SQLRow) throws -> IdempotencyRecord {
        let status = try row.optionalInteger("status")
        return IdempotencyRecord(
            user: try row.identifier("user_id"), operation: try row.text("operation"), key: try row.text("key"),
            fingerprint: try row.digest("fingerprint"),
            answer: try status.map {
                IdempotencyRecord.Answer(
                    status: Int($0), contentType: try row.optionalText("content_type"), body: try row.blob("body"))
            }, expiresAt: try row.timestamp("expires_at"))
    }
}
