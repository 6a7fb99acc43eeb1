package import Database
package import Domain

/// The rows that say which files of a site no edit may touch.
package struct SiteLockStore: Sendable {
    package init() {}

    /// Sorted.
    package func list(of site: SiteID, in transaction: any SQLTransaction) async throws -> [PathPattern] {
        try await transaction.query(
            "SELECT pattern FROM site_lock WHERE site_id = $1 ORDER BY pattern", [SQLValue(site)]
        ).map { try PathPattern(try $0.text("pattern")) }
    }

    /// These, and no others.
    package func replace(
        _ patterns: [PathPattern], of site: SiteID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute("DELETE FROM site_lock WHERE site_id = $1", [SQLValue(site)])
        for pattern in Set(patterns).sorted() {
            try await transaction.execute(
                "INSERT INTO site_lock (site_id, pattern, created_at) VALUES ($1, $2, $3)",
                [SQLValue(site), .text(pattern.text), SQLValue(now)])
        }
    }
}
