package import Database
package import Domain

/// The rows of versions: written once, and never changed but for what a browser finds afterwards.
package struct VersionStore: Sendable {
    package init() {}

    package func insert(_ version: Version, in transaction: any SQLTransaction) async throws {
        var origin = "upload"
        var template: String?
        var edit: EditID?
        var job: JobID?
        var engine: String?
        switch version.origin {
        case .template(let name):
            origin = "template"
            template = name
        case .upload:
            break
        case .edit(let id, let jobID, let name):
            origin = "edit"
            edit = id
            job = jobID
            engine = name.rawValue
        }
        try await transaction.execute(
            """
            INSERT INTO version (site_id, number, digest, parent, origin, template, edit_id, job_id, engine, author_id,
                summary, files, size_bytes, findings, signature, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            """,
            [
                SQLValue(version.site), SQLValue(version.number), SQLValue(version.digest), SQLValue(version.parent),
                .text(origin), SQLValue(template), SQLValue(edit), SQLValue(job), SQLValue(engine),
                SQLValue(version.author), .text(version.summary), SQLValue(version.files),
                .integer(version.totalSizeInBytes), .text(try FindingRecord.text(of: version.findings)),
                .blob(version.signature), SQLValue(version.createdAt),
            ])
    }

    /// Replaces the findings of a version. They are beside what its digest and its signature cover.
    package func setFindings(
        _ findings: [Finding], of number: VersionNumber, of site: SiteID, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            "UPDATE version SET findings = $3 WHERE site_id = $1 AND number = $2",
            [SQLValue(site), SQLValue(number), .text(try FindingRecord.text(of: findings))])
    }

    package func find(
        _ number: VersionNumber, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> Version? {
        try await transaction.answer(find(number, of: site))
    }

    package func find(_ number: VersionNumber, of site: SiteID) -> SQLQuery<Version?> {
        SQLQuery(
            "SELECT * FROM version WHERE site_id = $1 AND number = $2", [SQLValue(site), SQLValue(number)]
        ) { try $0.first.map(Self.version) }
    }

    package func creationTime(
        of number: VersionNumber, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> Timestamp? {
        try await transaction.query(
            "SELECT created_at FROM version WHERE site_id = $1 AND number = $2", [SQLValue(site), SQLValue(number)]
        ).first?.timestamp("created_at")
    }

    /// When the versions came into being that are the previews of `sites` now.
    package func previewTimes(of sites: [SiteID]) -> SQLQuery<[SiteID: Timestamp]> {
        let wanted = ValueList(sites.map { SQLValue($0) })
        return SQLQuery(
            """
            SELECT version.site_id, version.created_at FROM site
            JOIN version ON version.site_id = site.id AND version.number = site.preview
            WHERE site.id IN (\(wanted.places))
            """, wanted.parameters
        ) { rows in
            var times: [SiteID: Timestamp] = [:]
            for row in rows { times[try row.identifier("site_id")] = try row.timestamp("created_at") }
            return times
        }
    }

    /// The newest version of the site with this content, if there is one.
    package func find(
        digest: ContentDigest, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> Version? {
        try await transaction.query(
            "SELECT * FROM version WHERE site_id = $1 AND digest = $2 ORDER BY number DESC LIMIT 1",
            [SQLValue(site), SQLValue(digest)]
        ).first.map(Self.version)
    }

    /// Newest first.
    package func list(
        of site: SiteID, page request: PageRequest, in transaction: any SQLTransaction
    ) async throws -> Page<Version> {
        let rows = try await transaction.query(
            "SELECT * FROM version WHERE site_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
            [SQLValue(site), .integer(try request.numericCursor()), SQLValue(request.limit + 1)])
        return try page(of: rows, limit: request.limit, cursor: "number", Self.version)
    }

    private static func version(_ row: SQLRow) throws -> Version {
        let kind = try row.text("origin")
        let origin: Version.Origin =
            switch kind {
            case "template": .template(try row.text("template"))
            case "upload": .upload
            case "edit":
                .edit(try row.identifier("edit_id"), job: try row.identifier("job_id"), engine: try row.word("engine"))
            default: throw SQLError(.badRow, "a version has the origin \"\(kind.prefix(40))\"")
            }
        return Version(
            site: try row.identifier("site_id"), number: try row.versionNumber("number"),
            digest: try row.digest("digest"), parent: try row.optionalVersionNumber("parent"), origin: origin,
            author: try row.identifier("author_id"), summary: try row.text("summary"),
            files: Int(try row.integer("files")), totalSizeInBytes: try row.integer("size_bytes"),
            findings: try FindingRecord.findings(in: try row.text("findings")), signature: try row.blob("signature"),
            createdAt: try row.timestamp("created_at"))
    }
}
