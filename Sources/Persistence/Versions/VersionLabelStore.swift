package import Database
package import Domain

/// Names and pins of versions.
package struct VersionLabelStore: Sendable {
    package init() {}

    /// All labels of a site, by version: people name few.
    package func list(
        of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> [VersionNumber: VersionLabel] {
        var labels: [VersionNumber: VersionLabel] = [:]
        for row in try await transaction.query(
            "SELECT number, name, pinned FROM version_label WHERE site_id = $1 ORDER BY number DESC LIMIT 1000",
            [SQLValue(site)])
        {
            labels[try row.versionNumber("number")] = try Self.label(row)
        }
        return labels
    }

    package func find(
        _ number: VersionNumber, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> VersionLabel? {
        try await transaction.query(
            "SELECT name, pinned FROM version_label WHERE site_id = $1 AND number = $2",
            [SQLValue(site), SQLValue(number)]
        ).first.map(Self.label)
    }

    package func save(
        _ label: VersionLabel, on number: VersionNumber, of site: SiteID, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO version_label (site_id, number, name, pinned, updated_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (site_id, number) DO UPDATE SET name = $3, pinned = $4, updated_at = $5
            """,
            [
                SQLValue(site), SQLValue(number), .text(label.name), SQLValue(label.isPinned), SQLValue(now),
            ])
    }

    private static func label(_ row: SQLRow) throws -> VersionLabel {
        VersionLabel(unchecked: try row.text("name"), isPinned: try row.integer("pinned") != 0)
    }
}
