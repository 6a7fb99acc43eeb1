package import Database
package import Domain

/// Which transcript answers an edit that was asked for before, word for word, on the same content. Bounded: what was not
/// used for longest goes.
package struct ResponseCacheStore: Sendable {
    package static let capacity = 1000

    package init() {}

    /// - Parameter key: SHA-256 of ``CacheKey/canonicalText``.
    package func find(_ key: ContentDigest, in transaction: any SQLTransaction) async throws -> JobID? {
        try await transaction.query("SELECT job_id FROM response_cache WHERE key = $1", [SQLValue(key)]).first?
            .identifier("job_id")
    }

    package func touch(_ key: ContentDigest, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE response_cache SET used_at = $2 WHERE key = $1", [SQLValue(key), SQLValue(now)])
    }

    /// The newest answer takes the place of an older one.
    package func save(
        _ key: ContentDigest, job: JobID, at now: Timestamp, capacity: Int = Self.capacity,
        in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO response_cache (key, job_id, used_at) VALUES ($1, $2, $3)
            ON CONFLICT (key) DO UPDATE SET job_id = $2, used_at = $3
            """, [SQLValue(key), SQLValue(job), SQLValue(now)])
        try await transaction.execute(
            """
            DELETE FROM response_cache WHERE key IN (
                SELECT key FROM response_cache ORDER BY used_at DESC, key LIMIT 1000000 OFFSET $1)
            """, [SQLValue(capacity)])
    }

    package func remove(_ key: ContentDigest, in transaction: any SQLTransaction) async throws {
        try await transaction.execute("DELETE FROM response_cache WHERE key = $1", [SQLValue(key)])
    }
}
