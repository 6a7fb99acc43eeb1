import Artifacts
package import Database
package import Domain
import Faults
package import Logging
package import Persistence

/// Says what every host is to serve, and listens to what hosts say that they serve.
///
/// Level-triggered: what is desired is computed from the pointers whenever a session asks, and a wake-up carries no
/// content. A lost wake-up costs time only.
package final class DesiredState: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let feed: EventFeed
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let logger: Logger
    private let wakeUps = WakeUps()

    package init(
        database: any SQLDatabase, stores: Stores, feed: EventFeed, settings: CoordinatorSettings,
        clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.feed = feed
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    /// Wakes the sessions of all hosts; to be called after a commit that raised a generation.
    package func advance() { wakeUps.announce() }

    func changes() -> AsyncStream<Void> { wakeUps.changes() }

    /// Places a site on every serving host that takes new sites.
    func place(_ site: SiteID, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        for host in try await stores.hosts.list(in: transaction)
        where host.roles.contains(.serving) && host.state == .active {
            try await stores.placements.place(site, on: host.id, at: now, in: transaction)
        }
    }

    /// Places every site on a host that just became a member.
    func placeAll(on host: HostID, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        var request = try PageRequest(limit: 200)
        while true {
            let sites = try await stores.sites.list(owner: nil, page: request, in: transaction)
            for site in sites.items {
                try await stores.placements.place(site.id, on: host, at: now, in: transaction)
            }
            guard let cursor = sites.nextCursor else { return }
            request = try PageRequest(cursor: cursor, limit: 200)
        }
    }

    /// Gives every site on every host a new generation when the installation's own names changed since the last start,
    /// because those names are part of what hosts serve.
    package func noteNames() async throws {
        let now = clock.now()
        let names = settings.sitesDomain
        try await database.withTransaction { transaction in
            guard try await stores.settings.value(of: "sites-domain", in: transaction) != names else { return }
            try await stores.settings.set("sites-domain", to: names, in: transaction)
            var request = try PageRequest(limit: 200)
            while true {
                let sites = try await stores.sites.list(owner: nil, page: request, in: transaction)
                for site in sites.items {
                    try await stores.placements.raiseGenerations(of: site.id, at: now, in: transaction)
                }
                guard let cursor = sites.nextCursor else { return }
                request = try PageRequest(cursor: cursor, limit: 200)
            }
        }
    }

    /// What a host says at the start of a session is compared in full; what it serves already needs no answer from it.
    func compare(_ inventory: [SiteStatus], of host: HostID) async throws {
        let now = clock.now()
        try await database.withTransaction { transaction in
            for status in inventory {
                guard var placement = try await stores.placements.find(status.site, on: host, in: transaction) else {
                    continue
                }
                var wanted: DesiredSite?
                if placement.needsDigest(for: status) { wanted = try await desired(placement, in: transaction) }
                switch placement.compare(status, digest: wanted.map(digest), at: now) {
                case .unchanged:
                    break
                case .noted:
                    try await stores.placements.save(placement, in: transaction)
                case .raise(let above, _):
                    try await stores.placements.raiseGeneration(
                        of: status.site, on: host, above: above, at: now, in: transaction)
                }
            }
        }
    }

    /// Everything that is placed on `host`.
    func snapshot(of host: HostID) async throws -> [DesiredSite] {
        try await database.read { transaction in
            guard try await !stores.installation.isRecovering(in: transaction) else {
                throw ServiceError(.unavailable, "the coordinator is in recovery", rule: "recovery")
            }
            var sites: [DesiredSite] = []
            for placement in try await stores.placements.list(on: host, in: transaction) {
                if let site = try await desired(placement, in: transaction) { sites.append(site) }
            }
            return sites
        }
    }

    /// What `host` has not applied yet, apart from generations that were sent to it already.
    func delta(for host: HostID, sent: [SiteID: Int64]) async throws -> [DesiredSite] {
        try await database.read { transaction in
            guard try await !stores.installation.isRecovering(in: transaction) else { return [] }
            var sites: [DesiredSite] = []
            for placement in try await stores.placements.pending(on: host, in: transaction)
            where placement.generation > sent[placement.site, default: 0] {
                if let site = try await desired(placement, in: transaction) { sites.append(site) }
            }
            return sites
        }
    }

    /// Notes what a host said about one generation of one site.
    func record(_ status: SiteStatus, from host: HostID) async throws {
        FaultPoint.siteStatusReceived.reach()
        let now = clock.now()
        let isRaised = try await database.withTransaction { transaction in
            guard var placement = try await stores.placements.find(status.site, on: host, in: transaction),
                let wanted = try await desired(placement, in: transaction)
            else { return false }
            if case .raise(let above, let conflict) = placement.note(status, digest: digest(of: wanted), at: now) {
                logger.error(
                    conflict == .hostIsAhead
                        ? "A host reports a generation that was never desired"
                        : "A host serves other content under the desired generation",
                    metadata: ["host.id": "\(host)", "site.id": "\(status.site)", "generation": "\(above)"])
                try await stores.placements.raiseGeneration(
                    of: status.site, on: host, above: above, at: now, in: transaction)
                return true
            }
            try await stores.placements.save(placement, in: transaction)
            try await appendEvent(placement, wanted: wanted, at: now, in: transaction)
            return false
        }
        if isRaised { advance() }
        feed.announce()
    }

    private func appendEvent(
        _ placement: Placement, wanted: DesiredSite, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        guard let site = try await stores.sites.find(placement.site, in: transaction) else { return }
        try await feed.append(
            .siteServed, owner: site.owner, site: site.id,
            body: [
                "site_id": EventValue(site.id), "host_id": EventValue(placement.host),
                "generation": .integer(placement.generation), "state": .text(placement.state.rawValue),
                "error": EventValue(placement.error), "fetched_files": EventValue(placement.fetchedFiles),
                "fetched_bytes": .integer(placement.fetchedBytes), "live_version": EventValue(wanted.live?.number),
                "preview_version": EventValue(wanted.preview?.number),
            ], at: now, in: transaction)
    }

    private func digest(of site: DesiredSite) -> ContentDigest {
        ContentDigest(hashing: Array(site.canonicalText.utf8))
    }

    private func desired(_ placement: Placement, in transaction: any SQLTransaction) async throws -> DesiredSite? {
        if placement.isRemoved {
            return DesiredSite(site: placement.site, generation: placement.generation, isRemoved: true)
        }
        guard let site = try await stores.sites.find(placement.site, in: transaction) else { return nil }
        func tree(_ number: VersionNumber?) async throws -> DesiredSite.Tree? {
            guard let number, let version = try await stores.versions.find(number, of: site.id, in: transaction) else {
                return nil
            }
            return DesiredSite.Tree(number: number, digest: version.digest, signature: version.signature)
        }
        let names = SiteNames(settings: settings)
        return DesiredSite(
            site: site.id, generation: placement.generation, live: try await tree(site.live),
            preview: try await tree(site.preview), previous: try await tree(site.previous),
            liveNames: try [DomainName(names.live(of: site))]
                + (try await stores.sites.domains(of: site.id, in: transaction)),
            previewNames: [try DomainName(names.preview(of: site))], maintenance: site.maintenance?.message)
    }
}
