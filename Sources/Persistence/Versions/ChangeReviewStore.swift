package import Database
package import Domain

/// The rows of what became of the files that edits made.
package struct ChangeReviewStore: Sendable {
    package init() {}

    /// One for each job: the newest attempt counts.
    package func save(_ review: ChangeReview, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO change_review (job_id, site_id, digest, changed, total, outside, summary, version, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (job_id) DO UPDATE SET digest = $3, changed = $4, total = $5, outside = $6, summary = $7,
                version = $8, created_at = $9
            """,
            [
                SQLValue(review.job), SQLValue(review.site), SQLValue(review.digest), SQLValue(review.scope.changed),
                SQLValue(review.scope.total), SQLValue(review.scope.outside), .text(review.summary),
                SQLValue(review.version), SQLValue(review.createdAt),
            ])
    }

    package func find(_ job: JobID, in transaction: any SQLTransaction) async throws -> ChangeReview? {
        try await transaction.query("SELECT * FROM change_review WHERE job_id = $1", [SQLValue(job)])
            .first.map(Self.review)
    }

    private static func review(_ row: SQLRow) throws -> ChangeReview {
        ChangeReview(
            job: try row.identifier("job_id"), site: try row.identifier("site_id"), digest: try row.digest("digest"),
            scope: ChangeScope(
                changed: Int(try row.integer("changed")), total: Int(try row.integer("total")),
                outside: Int(try row.integer("outside"))), summary: try row.text("summary"),
            version: try row.optionalVersionNumber("version"), createdAt: try row.timestamp("created_at"))
    }
}
