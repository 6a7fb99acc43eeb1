package import Database
package import Domain

/// The sites of one page of a list, and the questions about them. None needs the answer to another, so that a page with all
/// that is shown on it is one round trip.
///
/// It is for lists that an index is in the order of; a search had to be made anew for each question.
package struct SiteSelection: Sendable {
    /// A site's place on a host, and what its owner is to know of that host.
    package struct HostedPlacement: Sendable {
        package let placement: Placement
        package let hostName: String
        package let hostState: Host.State
    }

    private let request: PageRequest
    private let condition: String
    private let parameters: [SQLValue]

    /// Newest first; of all owners when `owner` is `nil`.
    package init(owner: UserID?, page request: PageRequest) {
        self.request = request
        // A statement for each case, so that each is planned for its own index.
        condition = "deleted_at IS NULL AND id < $1" + (owner == nil ? "" : " AND owner_id = $2")
        parameters = [.text(request.identifierCursor)] + (owner.map { [SQLValue($0)] } ?? [])
    }

    /// The number of rows stands in the statement itself: a server that plans for any number plans to read all sites.
    private func selected(_ columns: String, limit: Int) -> String {
        "SELECT \(columns) FROM site WHERE \(condition) ORDER BY id DESC LIMIT \(limit)"
    }

    /// The sites in their order, and when the version in the preview of each was made.
    package var sites: SQLQuery<(page: Page<Site>, changedAt: [SiteID: Timestamp])> {
        let request = request
        return SQLQuery(
            selected(
                """
                site.*, (SELECT version.created_at FROM version
                    WHERE version.site_id = site.id AND version.number = site.preview) AS changed_at
                """, limit: request.limit + 1), parameters
        ) { rows in
            var times: [SiteID: Timestamp] = [:]
            let shown = try page(of: rows, limit: request.limit, cursor: "id") { row in
                let site = try SiteStore.site(row)
                times[site.id] = try row.optionalTimestamp("changed_at")
                return site
            }
            return (shown, times)
        }
    }

    /// Where the sites are; those that are nowhere are left out.
    package var placements: SQLQuery<[SiteID: [HostedPlacement]]> {
        SQLQuery(
            """
            SELECT desired_site.*, host.name AS host_name, host.state AS host_state, host.quarantined AS host_quarantined
            FROM desired_site JOIN host ON host.id = desired_site.host_id
            WHERE desired_site.site_id IN (\(selected("id", limit: request.limit))) ORDER BY desired_site.host_id
            """, parameters
        ) { rows in
            Dictionary(
                grouping: try rows.map { row in
                    HostedPlacement(
                        placement: try PlacementStore.placement(row), hostName: try row.text("host_name"),
                        hostState: try HostStore.state(in: row, prefix: "host_"))
                }, by: \.placement.site)
        }
    }

    /// The domains of the sites in the order of their names; sites without any are left out.
    package var domains: SQLQuery<[SiteID: [DomainName]]> {
        SQLQuery(
            """
            SELECT site_id, name FROM site_domain WHERE site_id IN (\(selected("id", limit: request.limit)))
            ORDER BY name
            """, parameters
        ) { rows in
            var domains: [SiteID: [DomainName]] = [:]
            for row in rows {
                domains[try row.identifier("site_id"), default: []].append(try DomainName(try row.text("name")))
            }
            return domains
        }
    }
}
