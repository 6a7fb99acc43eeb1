package import Database
package import Domain

/// What engines and their models said to each other, for replays and for the cache. The newest are kept.
package struct TranscriptStore: Sendable {
    /// In bytes, of all together.
    package static let capacity: Int64 = 256 << 20

    package init() {}

    package func save(
        _ body: [UInt8], of job: JobID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO job_transcript (job_id, body, size_bytes, at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (job_id) DO UPDATE SET body = $2, size_bytes = $3, at = $4
            """, [SQLValue(job), .blob(body), SQLValue(body.count), SQLValue(now)])
    }

    package func find(_ job: JobID, in transaction: any SQLTransaction) async throws -> [UInt8]? {
        try await transaction.query("SELECT body FROM job_transcript WHERE job_id = $1", [SQLValue(job)]).first?
            .blob("body")
    }

    package func exists(_ job: JobID, in transaction: any SQLTransaction) async throws -> Bool {
        try await !transaction.query("SELECT 1 AS one FROM job_transcript WHERE job_id = $1", [SQLValue(job)]).isEmpty
    }

    /// Deletes the oldest until the others fit into `capacity` bytes, and what the cache has of them.
    package func trim(
        to capacity: Int64 = Self.capacity, in transaction: any SQLTransaction
    ) async throws {
        var total = try await transaction.query(
            "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS total FROM job_transcript")[0].integer("total")
        while total > capacity {
            guard
                let row = try await transaction.query(
                    "SELECT job_id, size_bytes FROM job_transcript ORDER BY at, job_id LIMIT 1"
                ).first
            else { return }
            let job = try row.value("job_id")
            try await transaction.execute("DELETE FROM response_cache WHERE job_id = $1", [job])
            try await transaction.execute("DELETE FROM job_transcript WHERE job_id = $1", [job])
            total -= try row.integer("size_bytes")
        }
    }
}
