package import Database
package import Domain

/// The rows of versions that are being prepared on all hosts of a site.
package struct PreparedReleaseStore: Sendable {
    package init() {}

    /// `nil` when nothing is being prepared, or not any more.
    package func version(
        of site: SiteID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> VersionNumber? {
        try await transaction.query(
            "SELECT version FROM prepared_release WHERE site_id = $1 AND expires_at > $2",
            [SQLValue(site), SQLValue(now)]
        ).first?.versionNumber("version")
    }

    /// Begins to prepare; `false` when something else is being prepared for the site.
    package func begin(
        _ version: VersionNumber, of site: SiteID, token: String, at now: Timestamp, until end: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            "DELETE FROM prepared_release WHERE site_id = $1 AND expires_at <= $2", [SQLValue(site), SQLValue(now)])
        return try await transaction.execute(
            """
            INSERT INTO prepared_release (site_id, version, token, expires_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (site_id) DO NOTHING
            """, [SQLValue(site), SQLValue(version), .text(token), SQLValue(end)]) == 1
    }

    /// Ends what was begun with `token`; returns whether it was still going on.
    @discardableResult
    package func end(
        _ site: SiteID, token: String, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            "DELETE FROM prepared_release WHERE site_id = $1 AND token = $2", [SQLValue(site), .text(token)]) == 1
    }
}
