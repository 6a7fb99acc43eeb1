package import Database
package import Domain

/// The rows of releases.
package struct ReleaseStore: Sendable {
    package init() {}

    package func insert(_ release: Release, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO release (site_id, number, version, replaced, released_by, released_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            [
                SQLValue(release.site), SQLValue(release.number), SQLValue(release.version),
                SQLValue(release.replaced), SQLValue(release.releasedBy), SQLValue(release.releasedAt),
            ])
    }

    /// Newest first.
    package func list(
        of site: SiteID, page request: PageRequest, in transaction: any SQLTransaction
    ) async throws -> Page<Release> {
        let rows = try await transaction.query(
            "SELECT * FROM release WHERE site_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
            [SQLValue(site), .integer(try request.numericCursor()), SQLValue(request.limit + 1)])
        return try page(of: rows, limit: request.limit, cursor: "number") { row in
            Release(
                site: try row.identifier("site_id"), number: Int(try row.integer("number")),
                version: try row.versionNumber("version"), replaced: try row.optionalVersionNumber("replaced"),
                releasedBy: try row.identifier("released_by"), releasedAt: try row.timestamp("released_at"))
        }
    }
}
