package import Database
package import Domain

/// The rows of what is placed where. Generations only grow, also when a site leaves a host and comes back.
package struct PlacementStore: Sendable {
    package init() {}

    /// Places `site` on `host`; harmless when it is there.
    package func place(
        _ site: SiteID, on host: HostID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO desired_site (host_id, site_id, generation, removed, state, applied_generation, error,
                fetched_files, fetched_bytes, updated_at)
            VALUES ($1, $2, 1, 0, 'pending', 0, NULL, 0, 0, $3) ON CONFLICT (host_id, site_id) DO NOTHING
            """,
            [SQLValue(host), SQLValue(site), SQLValue(now)])
    }

    /// Places `site` on `host` again after it was taken off.
    package func placeAgain(
        _ site: SiteID, on host: HostID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await place(site, on: host, at: now, in: transaction)
        try await transaction.execute(
            """
            UPDATE desired_site SET removed = 0, generation = generation + 1, state = 'pending', error = NULL,
                updated_at = $3 WHERE host_id = $1 AND site_id = $2 AND removed = 1
            """, [SQLValue(host), SQLValue(site), SQLValue(now)])
    }

    /// Takes `site` off one host.
    package func remove(
        _ site: SiteID, from host: HostID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            UPDATE desired_site SET removed = 1, generation = generation + 1, state = 'pending', error = NULL,
                updated_at = $3 WHERE host_id = $1 AND site_id = $2 AND removed = 0
            """, [SQLValue(host), SQLValue(site), SQLValue(now)])
    }

    /// By host, how many sites are placed on it.
    package func loads(in transaction: any SQLTransaction) async throws -> [HostID: Int] {
        var loads: [HostID: Int] = [:]
        let rows = try await transaction.query(
            "SELECT host_id, COUNT(*) AS number FROM desired_site WHERE removed = 0 GROUP BY host_id")
        for row in rows { loads[try row.identifier("host_id")] = Int(try row.integer("number")) }
        return loads
    }

    /// By host, how many sites it has not answered for.
    package func unsettled(in transaction: any SQLTransaction) async throws -> [HostID: Int] {
        var counts: [HostID: Int] = [:]
        let rows = try await transaction.query(
            "SELECT host_id, COUNT(*) AS number FROM desired_site WHERE state = 'pending' GROUP BY host_id")
        for row in rows { counts[try row.identifier("host_id")] = Int(try row.integer("number")) }
        return counts
    }

    /// Something about `site` changed: every host that has it gets a new generation.
    package func raiseGenerations(
        of site: SiteID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            UPDATE desired_site SET generation = generation + 1, state = 'pending', error = NULL, updated_at = $2
            WHERE site_id = $1 AND removed = 0
            """,
            [SQLValue(site), SQLValue(now)])
    }

    package func markRemoved(_ site: SiteID, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            UPDATE desired_site SET removed = 1, generation = generation + 1, state = 'pending', updated_at = $2
            WHERE site_id = $1
            """,
            [SQLValue(site), SQLValue(now)])
    }

    /// A host is known to serve generation `above` of the site (it was asked by a coordinator whose memory is lost):
    /// what is desired now must be of a higher one.
    package func raiseGeneration(
        of site: SiteID, on host: HostID, above: Int64, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            UPDATE desired_site SET generation = $3, state = 'pending', updated_at = $4
            WHERE host_id = $1 AND site_id = $2 AND generation <= $5
            """,
            [SQLValue(host), SQLValue(site), .integer(above + 1), SQLValue(now), .integer(above)])
    }

    /// Every site on every host gets a new generation, at least `lowest`.
    package func raiseAll(to lowest: Int64, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            UPDATE desired_site SET generation = CASE WHEN generation < $1 THEN $1 ELSE generation + 1 END,
                state = 'pending', error = NULL, updated_at = $2
            """, [.integer(lowest), SQLValue(now)])
    }

    /// The highest generation of the site on any host; `nil` when it was never placed.
    package func highestGeneration(of site: SiteID, in transaction: any SQLTransaction) async throws -> Int64? {
        try await transaction.query(
            "SELECT MAX(generation) AS highest FROM desired_site WHERE site_id = $1", [SQLValue(site)]
        )[0].optionalInteger("highest")
    }

    /// What a host has to serve, `limit` at most: what it does not serve as wanted comes first.
    package func first(
        _ limit: Int, on host: HostID, in transaction: any SQLTransaction
    ) async throws -> [Placement] {
        try await transaction.query(
            """
            SELECT * FROM desired_site WHERE host_id = $1 AND removed = 0
            ORDER BY CASE WHEN state = 'applied' THEN 1 ELSE 0 END, site_id LIMIT $2
            """, [SQLValue(host), SQLValue(limit)]
        ).map(Self.placement)
    }

    /// How many sites a host has to serve.
    package func count(on host: HostID, in transaction: any SQLTransaction) async throws -> Int {
        let rows = try await transaction.query(
            "SELECT COUNT(*) AS count FROM desired_site WHERE host_id = $1 AND removed = 0", [SQLValue(host)])
        return Int(try rows.first?.integer("count") ?? 0)
    }

    package func list(on host: HostID, in transaction: any SQLTransaction) async throws -> [Placement] {
        try await transaction.query("SELECT * FROM desired_site WHERE host_id = $1 ORDER BY site_id", [SQLValue(host)])
            .map(Self.placement)
    }

    /// In the order of the sites' identifiers, behind `site`.
    package func list(
        on host: HostID, after site: SiteID?, limit: Int, in transaction: any SQLTransaction
    ) async throws -> [Placement] {
        try await transaction.query(
            "SELECT * FROM desired_site WHERE host_id = $1 AND site_id > $2 ORDER BY site_id LIMIT $3",
            [SQLValue(host), .text(site?.text ?? ""), SQLValue(limit)]
        ).map(Self.placement)
    }

    /// Those that the host has not answered for: few, however many sites it has.
    package func pending(on host: HostID, in transaction: any SQLTransaction) async throws -> [Placement] {
        try await transaction.query(
            "SELECT * FROM desired_site WHERE host_id = $1 AND state = 'pending' ORDER BY site_id", [SQLValue(host)]
        ).map(Self.placement)
    }

    /// By host, a number that changes when the host has something new to apply; hosts without any are missing.
    package func pendingSums(in transaction: any SQLTransaction) async throws -> [HostID: Int64] {
        var sums: [HostID: Int64] = [:]
        let rows = try await transaction.query(
            """
            SELECT host_id, CAST(SUM(generation + 1000000007) AS BIGINT) AS number FROM desired_site
            WHERE state = 'pending' GROUP BY host_id
            """)
        for row in rows { sums[try row.identifier("host_id")] = try row.integer("number") }
        return sums
    }

    package func list(of site: SiteID, in transaction: any SQLTransaction) async throws -> [Placement] {
        try await transaction.query("SELECT * FROM desired_site WHERE site_id = $1 ORDER BY host_id", [SQLValue(site)])
            .map(Self.placement)
    }

    /// The same for many sites; those that are nowhere are left out.
    package func list(of sites: [SiteID]) -> SQLQuery<[SiteID: [Placement]]> {
        let wanted = ValueList(sites.map { SQLValue($0) })
        return SQLQuery(
            "SELECT * FROM desired_site WHERE site_id IN (\(wanted.places)) ORDER BY host_id", wanted.parameters
        ) { Dictionary(grouping: try $0.map(Self.placement), by: \.site) }
    }

    package func find(
        _ site: SiteID, on host: HostID, in transaction: any SQLTransaction
    ) async throws -> Placement? {
        try await transaction.query(
            "SELECT * FROM desired_site WHERE host_id = $1 AND site_id = $2", [SQLValue(host), SQLValue(site)]
        ).first.map(Self.placement)
    }

    package func save(_ placement: Placement, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            UPDATE desired_site SET state = $3, applied_generation = $4, error = $5, fetched_files = $6,
                fetched_bytes = $7, updated_at = $8 WHERE host_id = $1 AND site_id = $2
            """,
            [
                SQLValue(placement.host), SQLValue(placement.site), .text(placement.state.rawValue),
                .integer(placement.appliedGeneration), SQLValue(placement.error), SQLValue(placement.fetchedFiles),
                .integer(placement.fetchedBytes), SQLValue(placement.updatedAt),
            ])
    }

    static func placement(_ row: SQLRow) throws -> Placement {
        Placement(
            host: try row.identifier("host_id"), site: try row.identifier("site_id"),
            generation: try row.integer("generation"), isRemoved: try row.boolean("removed"),
            state: try row.word("state"), appliedGeneration: try row.integer("applied_generation"),
            error: try row.optionalText("error"), fetchedFiles: Int(try row.integer("fetched_files")),
            fetchedBytes: try row.integer("fetched_bytes"), updatedAt: try row.timestamp("updated_at"))
    }
}
