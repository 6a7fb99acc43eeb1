package import Database
package import Domain

/// The rows of idempotency keys.
package struct IdempotencyStore: Sendable {
    package init() {}

    package func find(
        _ key: String, of operation: String, by user: UserID, in transaction: any SQLTransaction
    ) async throws -> IdempotencyRecord? {
        try await transaction.query(
            "SELECT * FROM idempotency_key WHERE user_id = $1 AND operation = $2 AND key = $3",
            [SQLValue(user), .text(operation), .text(key)]
        ).first.map(Self.record)
    }

    /// Throws `SQLError` `uniqueViolation` when the key is there already.
    package func insert(_ record: IdempotencyRecord, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO idempotency_key (user_id, operation, key, fingerprint, attempt, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            [
                SQLValue(record.user), .text(record.operation), .text(record.key), SQLValue(record.fingerprint),
                .text(record.attempt), SQLValue(record.expiresAt),
            ])
    }

    /// Keeps the answer, if `record` is still the one that works on it.
    package func save(
        _ answer: IdempotencyRecord.Answer, for record: IdempotencyRecord, until expiresAt: Timestamp,
        in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            UPDATE idempotency_key SET status = $5, content_type = $6, body = $7, expires_at = $8
            WHERE user_id = $1 AND operation = $2 AND key = $3 AND attempt = $4
            """,
            [
                SQLValue(record.user), .text(record.operation), .text(record.key), .text(record.attempt),
                SQLValue(answer.status), SQLValue(answer.contentType), .blob(answer.body), SQLValue(expiresAt),
            ])
    }

    /// Forgets the key, if `record` is still the one that works on it.
    package func delete(_ record: IdempotencyRecord, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "DELETE FROM idempotency_key WHERE user_id = $1 AND operation = $2 AND key = $3 AND attempt = $4",
            [SQLValue(record.user), .text(record.operation), .text(record.key), .text(record.attempt)])
    }

    package func deleteExpired(at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute("DELETE FROM idempotency_key WHERE expires_at <= $1", [SQLValue(now)])
    }

    private static func record(_ row: SQLRow) throws -> IdempotencyRecord {
        let status = try row.optionalInteger("status")
        return IdempotencyRecord(
            user: try row.identifier("user_id"), operation: try row.text("operation"), key: try row.text("key"),
            fingerprint: try row.digest("fingerprint"), attempt: try row.text("attempt"),
            answer: try status.map {
                IdempotencyRecord.Answer(
                    status: Int($0), contentType: try row.optionalText("content_type"), body: try row.blob("body"))
            }, expiresAt: try row.timestamp("expires_at"))
    }
}
