package import Database
package import Domain

/// The rows of sites and of their domain names.
package struct SiteStore: Sendable {
    private static let byID = SQLLookup("SELECT * FROM site", by: "id")
    private static let row = SQLRowChange.update(
        "site", key: .text("id"),
        [
            .text("name"), .integer("live"), .integer("preview"), .integer("previous"), .integer("last_version"),
            .integer("last_release"), .integer("fence"), .text("maintenance"), .text("engine"), .text("address_mode"),
            .text("missing_page"),
        ])

    package init() {}

    package func insert(_ site: Site, in transaction: any SQLTransaction) async throws {
        do {
            try await transaction.execute(
                """
                INSERT INTO site (id, owner_id, slug, name, kind, live, preview, previous, last_version, last_release,
                    fence, maintenance, created_at, engine, address_mode, missing_page)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
                """,
                [
                    SQLValue(site.id), SQLValue(site.owner), .text(site.slug.text), .text(site.name),
                    .text(site.kind.rawValue), SQLValue(site.live), SQLValue(site.preview), SQLValue(site.previous),
                    SQLValue(site.lastVersion), SQLValue(site.lastRelease), .integer(site.fence.rawValue),
                    SQLValue(site.maintenance?.message), SQLValue(site.createdAt), SQLValue(site.engine?.rawValue),
                    .text(site.addresses.mode.rawValue), .text(site.addresses.missingPage),
                ])
        } catch let error as SQLError where error.kind == .uniqueViolation {
            throw ServiceError(
                .alreadyExists, "the slug \"\(site.slug)\" is taken", field: "slug", rule: "slug-taken",
                nextStep: "Choose another slug.", cause: error)
        }
    }

    package func save(_ site: Site, in transaction: any SQLTransaction) async throws {
        try await transaction.post(
            Self.row,
            [
                SQLValue(site.id), .text(site.name), SQLValue(site.live), SQLValue(site.preview),
                SQLValue(site.previous), SQLValue(site.lastVersion), SQLValue(site.lastRelease),
                .integer(site.fence.rawValue), SQLValue(site.maintenance?.message), SQLValue(site.engine?.rawValue),
                .text(site.addresses.mode.rawValue), .text(site.addresses.missingPage),
            ])
    }

    /// Deleted sites are not found. The row stays, so that hosts can be told.
    package func find(_ id: SiteID, in transaction: any SQLTransaction) async throws -> Site? {
        try await transaction.answer(find(id))
    }

    package func find(_ id: SiteID) -> SQLQuery<Site?> {
        SQLQuery(Self.byID, SQLValue(id)) { try Self.living($0) }
    }

    /// The site of a job.
    package func find(of job: JobID) -> SQLQuery<Site?> {
        SQLQuery("SELECT * FROM site WHERE id = (SELECT site_id FROM job WHERE id = $1)", [SQLValue(job)]) {
            try Self.living($0)
        }
    }

    /// Looked at here and not in the statement: with that condition in it, a server that has no statistics yet takes the
    /// index of slugs, which has it too, and reads the row of every site to find one.
    private static func living(_ rows: [SQLRow]) throws -> Site? {
        guard let row = rows.first, try row.optionalInteger("deleted_at") == nil else { return nil }
        return try site(row)
    }

    package func find(slug: String, in transaction: any SQLTransaction) async throws -> Site? {
        try await transaction.query(
            "SELECT * FROM site WHERE slug = $1 AND deleted_at IS NULL", [.text(slug)]
        ).first.map(Self.site)
    }

    /// Newest first; all owners when `owner` is `nil`.
    ///
    /// - Parameter word: In small letters; must be in the name, the slug or a domain.
    package func list(
        owner: UserID?, matching word: String = "", page request: PageRequest, in transaction: any SQLTransaction
    ) async throws -> Page<Site> {
        // A statement for each case, so that each is planned for its own index.
        var condition = ""
        var parameters: [SQLValue] = [.text(request.identifierCursor), SQLValue(request.limit + 1)]
        if let owner {
            parameters.append(SQLValue(owner))
            condition += " AND owner_id = $\(parameters.count)"
        }
        if !word.isEmpty {
            parameters.append(.text(PatternText.containing(word)))
            let pattern = "LIKE $\(parameters.count) ESCAPE '!'"
            condition += """
                 AND (LOWER(name) \(pattern) OR slug \(pattern) OR EXISTS (
                    SELECT 1 FROM site_domain WHERE site_domain.site_id = site.id AND site_domain.name \(pattern)))
                """
        }
        let rows = try await transaction.query(
            """
            SELECT * FROM site WHERE deleted_at IS NULL AND id < $1\(condition)
            ORDER BY id DESC LIMIT $2
            """, parameters)
        return try page(of: rows, limit: request.limit, cursor: "id", Self.site)
    }

    package func markDeleted(_ id: SiteID, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute("UPDATE site SET deleted_at = $2 WHERE id = $1", [SQLValue(id), SQLValue(now)])
        try await transaction.execute("DELETE FROM site_domain WHERE site_id = $1", [SQLValue(id)])
    }

    /// Also one that was deleted: its row stays.
    package func exists(_ id: SiteID, in transaction: any SQLTransaction) async throws -> Bool {
        try await fence(of: id, in: transaction) != nil
    }

    /// The fence granted last; also of a site that was deleted.
    package func fence(of id: SiteID, in transaction: any SQLTransaction) async throws -> Fence? {
        try await transaction.query("SELECT fence FROM site WHERE id = $1", [SQLValue(id)]).first.map {
            Fence(rawValue: try $0.integer("fence"))
        }
    }

    /// The next version gets a number above `number`.
    package func raiseLastVersion(
        of id: SiteID, to number: Int64, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            "UPDATE site SET last_version = $2 WHERE id = $1 AND COALESCE(last_version, 0) < $2",
            [SQLValue(id), .integer(number)])
    }

    /// What these sites are or, when they are deleted, were called, 1,000 at most; what is not there is left out.
    package func names(of ids: some Sequence<SiteID>) -> SQLQuery<[SiteID: String]> {
        .texts("name", of: "site", among: ids)
    }

    /// Those of these sites that are not deleted, 1,000 at most.
    package func find(_ ids: [SiteID], in transaction: any SQLTransaction) async throws -> [SiteID: Site] {
        guard !ids.isEmpty else { return [:] }
        let wanted = ValueList(ids.map { SQLValue($0) })
        var sites: [SiteID: Site] = [:]
        for row in try await transaction.query("SELECT * FROM site WHERE id IN (\(wanted.places))", wanted.parameters) {
            if let site = try Self.living([row]) { sites[site.id] = site }
        }
        return sites
    }

    package func domains(of site: SiteID, in transaction: any SQLTransaction) async throws -> [DomainName] {
        try await transaction.query(
            "SELECT name FROM site_domain WHERE site_id = $1 ORDER BY name", [SQLValue(site)]
        ).map { try DomainName(try $0.text("name")) }
    }

    /// The same for many sites; those without any are left out.
    package func domains(of sites: [SiteID]) -> SQLQuery<[SiteID: [DomainName]]> {
        let wanted = ValueList(sites.map { SQLValue($0) })
        return SQLQuery(
            "SELECT site_id, name FROM site_domain WHERE site_id IN (\(wanted.places)) ORDER BY name",
            wanted.parameters
        ) { rows in
            var domains: [SiteID: [DomainName]] = [:]
            for row in rows {
                domains[try row.identifier("site_id"), default: []].append(try DomainName(try row.text("name")))
            }
            return domains
        }
    }

    package func addDomain(
        _ name: DomainName, to site: SiteID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        do {
            try await transaction.execute(
                "INSERT INTO site_domain (name, site_id, created_at) VALUES ($1, $2, $3)",
                [.text(name.text), SQLValue(site), SQLValue(now)])
        } catch let error as SQLError where error.kind == .uniqueViolation {
            throw ServiceError(
                .alreadyExists, "the domain \(name) is in use by a site already", field: "domain", rule: "domain-taken",
                cause: error)
        }
    }

    /// Returns whether there was such a domain.
    package func removeDomain(
        _ name: DomainName, from site: SiteID, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            "DELETE FROM site_domain WHERE name = $1 AND site_id = $2", [.text(name.text), SQLValue(site)]) > 0
    }

    static func site(_ row: SQLRow) throws -> Site {
        Site(
            id: try row.identifier("id"), owner: try row.identifier("owner_id"), slug: try Slug(try row.text("slug")),
            name: try row.text("name"), kind: try row.word("kind"), live: try row.optionalVersionNumber("live"),
            preview: try row.optionalVersionNumber("preview"), previous: try row.optionalVersionNumber("previous"),
            lastVersion: try row.optionalVersionNumber("last_version"),
            lastRelease: Int(try row.integer("last_release")), fence: Fence(rawValue: try row.integer("fence")),
            maintenance: try row.optionalText("maintenance").map { try Site.Maintenance(message: $0) },
            addresses: try AddressRules(
                mode: try row.word("address_mode"), missingPage: try row.text("missing_page")),
            engine: try row.optionalText("engine").map { _ in try row.word("engine") },
            createdAt: try row.timestamp("created_at"))
    }
}
