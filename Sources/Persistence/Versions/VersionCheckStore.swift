package import Database
package import Domain

/// The rows of what browsers saw of versions.
package struct VersionCheckStore: Sendable {
    package init() {}

    /// Notes that a report is waited for, or that there will be none. Once for each version, with the version.
    package func insert(_ checks: VersionChecks, in transaction: any SQLTransaction) async throws {
        let (until, end): (Timestamp, Timestamp?) =
            switch checks.state {
            case .waiting(let until): (until, nil)
            case .done(let end): (end, end)
            }
        try await transaction.execute(
            """
            INSERT INTO version_check (site_id, number, job_id, attempt, lease_token, fence, host_id, waits_until,
                finished_at, checks) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """,
            [
                SQLValue(checks.site), SQLValue(checks.version), SQLValue(checks.lease.job),
                SQLValue(checks.lease.attempt), .text(checks.lease.token.text),
                .integer(checks.lease.fence.rawValue), SQLValue(checks.host), SQLValue(until), SQLValue(end),
                .text(try PageChecksRecord.text(of: checks.checks)),
            ])
    }

    /// Notes that another report is waited for, of a version that has one or none. Its pictures stay until then.
    package func reopen(_ checks: VersionChecks, until: Timestamp, in transaction: any SQLTransaction) async throws {
        let changed = try await transaction.execute(
            """
            UPDATE version_check SET job_id = $3, attempt = $4, lease_token = $5, fence = $6, host_id = $7,
                waits_until = $8, finished_at = NULL WHERE site_id = $1 AND number = $2
            """,
            [
                SQLValue(checks.site), SQLValue(checks.version), SQLValue(checks.lease.job),
                SQLValue(checks.lease.attempt), .text(checks.lease.token.text),
                .integer(checks.lease.fence.rawValue), SQLValue(checks.host), SQLValue(until),
            ])
        if changed == 0 { try await insert(checks, in: transaction) }
    }

    /// Takes a report; `false` when nobody waits for one any more. All pictures that the version had before are replaced.
    package func finish(
        _ number: VersionNumber, of site: SiteID, checks: [PageChecks.Check], pictures: [VersionChecks.Picture],
        at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        let changed = try await transaction.execute(
            """
            UPDATE version_check SET finished_at = $3, checks = $4
            WHERE site_id = $1 AND number = $2 AND finished_at IS NULL
            """,
            [
                SQLValue(site), SQLValue(number), SQLValue(now), .text(try PageChecksRecord.text(of: checks)),
            ])
        guard changed == 1 else { return false }
        try await transaction.execute(
            "DELETE FROM version_picture WHERE site_id = $1 AND number = $2", [SQLValue(site), SQLValue(number)])
        try await add(pictures, to: number, of: site, from: 0, in: transaction)
        return true
    }

    /// Adds pictures to those of a version.
    ///
    /// - Parameter first: the position of the first one, behind all that are there.
    package func add(
        _ pictures: [VersionChecks.Picture], to number: VersionNumber, of site: SiteID, from first: Int,
        in transaction: any SQLTransaction
    ) async throws {
        for (position, taken) in pictures.enumerated() {
            let picture = taken.picture
            try await transaction.execute(
                """
                INSERT INTO version_picture (site_id, number, position, page, kind, width, height, format, digest,
                    size_bytes, changes, taken_of) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                """,
                [
                    SQLValue(site), SQLValue(number), SQLValue(first + position), .text(picture.page.text),
                    .text(picture.kind.rawValue), SQLValue(picture.width), SQLValue(picture.height),
                    .text(picture.format.rawValue), SQLValue(picture.digest), .integer(picture.sizeInBytes),
                    SQLValue(try picture.changes.map(PageChecksRecord.text(of:))), SQLValue(taken.takenOf),
                ])
        }
    }

    /// The position behind the last picture of a version.
    package func endOfPictures(
        _ number: VersionNumber, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> Int {
        Int(
            try await transaction.query(
                """
                SELECT COALESCE(MAX(position) + 1, 0) AS position FROM version_picture
                WHERE site_id = $1 AND number = $2
                """, [SQLValue(site), SQLValue(number)])[0].integer("position"))
    }

    /// The versions that pictures of this page were taken of, those first that are nearest to `number`; 8 at most.
    package func versions(
        showing page: SitePath, near number: VersionNumber, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> [VersionNumber] {
        try await transaction.query(
            """
            SELECT number FROM version_picture
            WHERE site_id = $1 AND page = $2 AND kind = 'page' AND taken_of = number
            GROUP BY number ORDER BY ABS(number - $3) LIMIT 8
            """, [SQLValue(site), .text(page.text), SQLValue(number)]
        ).map { try $0.versionNumber("number") }
    }

    package func find(
        _ number: VersionNumber, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> VersionChecks? {
        guard
            let row = try await transaction.query(
                "SELECT * FROM version_check WHERE site_id = $1 AND number = $2", [SQLValue(site), SQLValue(number)]
            ).first
        else { return nil }
        return try Self.checks(row, pictures: try await pictures(number, of: site, in: transaction))
    }

    /// The check of the version that a job made, without its pictures.
    package func find(job: JobID, in transaction: any SQLTransaction) async throws -> VersionChecks? {
        try await transaction.query(
            "SELECT * FROM version_check WHERE job_id = $1 ORDER BY number DESC LIMIT 1", [SQLValue(job)]
        ).first.map { try Self.checks($0, pictures: []) }
    }

    /// In the order of the report.
    package func pictures(
        _ number: VersionNumber, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> [VersionChecks.Picture] {
        try await transaction.query(
            "SELECT * FROM version_picture WHERE site_id = $1 AND number = $2 ORDER BY position",
            [SQLValue(site), SQLValue(number)]
        ).map(Self.taken)
    }

    /// One picture of a version by what it shows; `nil` when the version has no such picture.
    package func picture(
        _ digest: ContentDigest, _ number: VersionNumber, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> PagePicture? {
        try await transaction.query(
            "SELECT * FROM version_picture WHERE site_id = $1 AND number = $2 AND digest = $3 LIMIT 1",
            [SQLValue(site), SQLValue(number), SQLValue(digest)]
        ).first.map { try Self.taken($0).picture }
    }

    /// The thumbnails of these versions of a site, 1,000 at most; versions without one are left out.
    package func thumbnails(
        of numbers: [VersionNumber], of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> [VersionNumber: ContentDigest] {
        guard !numbers.isEmpty else { return [:] }
        let wanted = ValueList(numbers.map { SQLValue($0) }, from: 2)
        var digests: [VersionNumber: ContentDigest] = [:]
        for row in try await transaction.query(
            """
            SELECT number, digest FROM version_picture
            WHERE site_id = $1 AND kind = 'thumbnail' AND number IN (\(wanted.places))
            """, [SQLValue(site)] + wanted.parameters)
        {
            digests[try row.versionNumber("number")] = try row.digest("digest")
        }
        return digests
    }

    /// The thumbnails of what these sites have live; sites without one are left out.
    package func liveThumbnails(
        of sites: [SiteID], in transaction: any SQLTransaction
    ) async throws -> [SiteID: ContentDigest] {
        guard !sites.isEmpty else { return [:] }
        let places = (1...sites.count).map { "$\($0)" }.joined(separator: ", ")
        var digests: [SiteID: ContentDigest] = [:]
        for row in try await transaction.query(
            """
            SELECT p.site_id, p.digest FROM version_picture p
            JOIN site s ON s.id = p.site_id AND s.live = p.number
            WHERE p.kind = 'thumbnail' AND p.site_id IN (\(places))
            """, sites.map { SQLValue($0) })
        {
            digests[try row.identifier("site_id")] = try row.digest("digest")
        }
        return digests
    }

    private static func checks(_ row: SQLRow, pictures: [VersionChecks.Picture]) throws -> VersionChecks {
        guard let token = LeaseToken(try row.text("lease_token")) else {
            throw SQLError(.badRow, "lease_token is no token")
        }
        let state: VersionChecks.State =
            if let end = try row.optionalTimestamp("finished_at") {
                .done(at: end)
            } else {
                .waiting(until: try row.timestamp("waits_until"))
            }
        return VersionChecks(
            site: try row.identifier("site_id"), version: try row.versionNumber("number"),
            lease: JobLease(
                job: try row.identifier("job_id"), attempt: Int(try row.integer("attempt")), token: token,
                fence: Fence(rawValue: try row.integer("fence"))),
            host: try row.identifier("host_id"), state: state,
            checks: try PageChecksRecord.checks(in: try row.text("checks")), pictures: pictures)
    }

    private static func taken(_ row: SQLRow) throws -> VersionChecks.Picture {
        VersionChecks.Picture(
            PagePicture(
                page: try SitePath(try row.text("page")), kind: try row.word("kind"),
                width: Int(try row.integer("width")), height: Int(try row.integer("height")),
                format: try row.word("format"), digest: try row.digest("digest"),
                sizeInBytes: try row.integer("size_bytes"),
                changes: try row.optionalText("changes").map { try PageChecksRecord.boxes(in: $0) }),
            takenOf: try row.versionNumber("taken_of"))
    }
}
