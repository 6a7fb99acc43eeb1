package import Database
package import Domain

/// A version whose content must stay.
package struct RetainedVersion: Sendable, Equatable {
    package let site: SiteID
    package let slug: String
    package let number: VersionNumber
    package let digest: ContentDigest
}

extension VersionStore {
    private static let columns = "SELECT v.site_id, s.slug, v.number, v.digest FROM"
    /// All versions of sites that are there or were there at a time ($1), and what jobs that have not ended start from.
    private static let isRetained = """
        (s.deleted_at IS NULL OR s.deleted_at > $1 OR EXISTS (
            SELECT 1 FROM edit e JOIN job j ON j.id = e.job_id
            WHERE e.site_id = v.site_id AND e.base_version = v.number AND j.state IN ('queued', 'ready', 'leased')))
        """

    /// Those after `last`, in the order of sites and numbers.
    package func retained(
        deletedAfter time: Timestamp, after last: RetainedVersion?, limit: Int, in transaction: any SQLTransaction
    ) async throws -> [RetainedVersion] {
        try await transaction.query(
            """
            \(Self.columns) version v JOIN site s ON s.id = v.site_id
            WHERE \(Self.isRetained) AND (v.site_id > $2 OR v.site_id = $2 AND v.number > $3)
            ORDER BY v.site_id, v.number LIMIT $4
            """,
            [
                SQLValue(time), .text(last?.site.text ?? ""), SQLValue(last?.number.rawValue ?? 0), SQLValue(limit),
            ]
        ).map(Self.retained)
    }

    /// The pictures of versions that are retained, from `digest` on, in its order.
    package func retainedPictures(
        deletedAfter time: Timestamp, after digest: ContentDigest?, limit: Int, in transaction: any SQLTransaction
    ) async throws -> [ContentDigest] {
        try await transaction.query(
            """
            SELECT DISTINCT v.digest FROM version_picture v JOIN site s ON s.id = v.site_id
            WHERE \(Self.isRetained) AND v.digest > $2 ORDER BY v.digest LIMIT $3
            """, [SQLValue(time), .text(digest?.text ?? ""), SQLValue(limit)]
        ).map { try $0.digest("digest") }
    }

    /// The retained versions that have one of these pictures; its digest stands in the place of the version's.
    package func retained(
        withPictures digests: [ContentDigest], deletedAfter time: Timestamp, in transaction: any SQLTransaction
    ) async throws -> [RetainedVersion] {
        var found: [RetainedVersion] = []
        for digest in digests {
            found += try await transaction.query(
                """
                \(Self.columns) version_picture v JOIN site s ON s.id = v.site_id
                WHERE \(Self.isRetained) AND v.digest = $2 ORDER BY v.site_id, v.number
                """, [SQLValue(time), SQLValue(digest)]
            ).map(Self.retained)
        }
        return found
    }

    /// At least those that were added to versions after an event.
    package func pictures(
        afterEvent event: Int64, in transaction: any SQLTransaction
    ) async throws -> [ContentDigest] {
        try await transaction.query(
            """
            SELECT DISTINCT v.digest FROM version_picture v
            WHERE v.site_id IN (SELECT site_id FROM event WHERE id > $1 AND kind = $2)
            """, [.integer(event), .text(Event.Kind.versionChecked.rawValue)]
        ).map { try $0.digest("digest") }
    }

    /// At least those that were made after an event.
    package func created(
        afterEvent event: Int64, in transaction: any SQLTransaction
    ) async throws -> [RetainedVersion] {
        try await transaction.query(
            """
            \(Self.columns) version v JOIN site s ON s.id = v.site_id
            WHERE v.site_id IN (SELECT site_id FROM event WHERE id > $1 AND kind = $2)
            """, [.integer(event), .text(Event.Kind.versionCreated.rawValue)]
        ).map(Self.retained)
    }

    /// What the youngest site shows as its preview; `nil` when there is no site.
    package func newest(in transaction: any SQLTransaction) async throws -> RetainedVersion? {
        try await transaction.query(
            """
            \(Self.columns) version v JOIN site s ON s.id = v.site_id AND s.preview = v.number
            WHERE s.deleted_at IS NULL ORDER BY s.id DESC LIMIT 1
            """
        ).first.map(Self.retained)
    }

    private static func retained(_ row: SQLRow) throws -> RetainedVersion {
        RetainedVersion(
            site: try row.identifier("site_id"), slug: try row.text("slug"), number: try row.versionNumber("number"),
            digest: try row.digest("digest"))
    }
}
