package import Database
package import Domain
package import Logging
package import Persistence

/// Lets an owner accept what a browser found worse in a version than in the one before, so that it may go live.
package struct VersionAcceptance: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let feed: EventFeed
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, feed: EventFeed, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.feed = feed
        self.clock = clock
        self.logger = logger
    }

    /// The version keeps the findings, as warnings.
    ///
    /// - Throws: `invalidArgument` with rule `finding-known` when one of them does not keep the version from going live.
    package func accept(
        _ references: [FindingReference], of number: Int, on reference: String, for principal: Principal,
        once: Once<VersionView> = .unkeyed
    ) async throws -> VersionView {
        let accepted = try AcceptedFindings(
            references, example: FindingReference(rule: "accessibility-name", path: "index.html"))
        let now = clock.now()
        let access = SiteAccess(stores: stores)
        let view = try await database.withTransaction(once) { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            // The site's row orders this and a report that comes in.
            try await stores.sites.save(site, in: transaction)
            let version = try await access.version(number, of: site, in: transaction)
            try accepted.named(
                among: version.openFindings, orElse: "version \(number) is not kept back because of",
                lookWith: "pagewright checks \(site.slug) \(number)")
            let open = Set(version.openFindings)
            let findings = version.findings.map { finding in
                open.contains(finding) && references.contains { $0.names(finding) } ? finding.asWarning : finding
            }
            try await stores.versions.setFindings(findings, of: version.number, of: site.id, in: transaction)
            try await accepted.note(
                with: version.number, on: site.id.text, of: site.id, for: principal, by: AuditTrail(stores: stores),
                at: now, in: transaction)
            return VersionView(try await access.version(number, of: site, in: transaction), of: site)
        }
        feed.announce()
        logger.notice("Accepted findings", metadata: ["version.number": "\(number)"])
        return view
    }
}
