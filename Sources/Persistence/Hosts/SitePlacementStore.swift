package import Database
package import Domain

/// The rows of sites that have a placement policy of their own.
package struct SitePlacementStore: Sendable {
    package init() {}

    package func find(_ site: SiteID, in transaction: any SQLTransaction) async throws -> PlacementPolicy? {
        try await transaction.query("SELECT * FROM site_placement WHERE site_id = $1", [SQLValue(site)]).first
            .map(Self.policy)
    }

    package func all(in transaction: any SQLTransaction) async throws -> [SiteID: PlacementPolicy] {
        var policies: [SiteID: PlacementPolicy] = [:]
        for row in try await transaction.query("SELECT * FROM site_placement") {
            policies[try row.identifier("site_id")] = try Self.policy(row)
        }
        return policies
    }

    package func set(
        _ policy: PlacementPolicy, for site: SiteID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await delete(site, in: transaction)
        try await transaction.execute(
            """
            INSERT INTO site_placement (site_id, copies, selector, spread, leaves_draining, lost_after_ms, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                SQLValue(site), SQLValue(policy.copies), .text(policy.selector.description), SQLValue(policy.spread),
                SQLValue(policy.leavesDraining), SQLValue(policy.lostAfter?.wholeMilliseconds), SQLValue(now),
            ])
    }

    package func delete(_ site: SiteID, in transaction: any SQLTransaction) async throws {
        try await transaction.execute("DELETE FROM site_placement WHERE site_id = $1", [SQLValue(site)])
    }

    private static func policy(_ row: SQLRow) throws -> PlacementPolicy {
        PlacementPolicy(
            copies: try row.optionalInteger("copies").map { Int($0) },
            selector: try HostLabels(try row.text("selector")),
            spread: try row.optionalText("spread"), leavesDraining: try row.boolean("leaves_draining"),
            lostAfter: try row.optionalInteger("lost_after_ms").map { .milliseconds($0) })
    }
}
