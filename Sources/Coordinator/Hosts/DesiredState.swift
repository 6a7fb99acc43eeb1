import Artifacts
package import Database
package import Domain
import Faults
package import Logging
package import Persistence
package import Queue

/// Says what every host is to serve, and listens to what hosts say that they serve.
///
/// Level-triggered: what is desired is computed from the pointers whenever a session asks, and a wake-up carries no
/// content. A lost wake-up costs time only.
package final class DesiredState: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let feed: EventFeed
    private let bus: any CoordinatorBus
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let logger: Logger
    private let wakeUps = WakeUps()
    /// About how many bytes of states go into one message; a frame takes 8 MiB.
    private static let messageSize = 1 << 20

    package init(
        database: any SQLDatabase, stores: Stores, feed: EventFeed, bus: any CoordinatorBus,
        settings: CoordinatorSettings, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.feed = feed
        self.bus = bus
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    /// Wakes the sessions of all hosts, on all coordinators; to be called after a commit that raised a generation.
    package func advance() {
        wakeUps.announce()
        bus.publish(.desiredState)
    }

    /// Wakes the sessions here, of these hosts or of all: another coordinator raised generations.
    func wake(_ hosts: Set<HostID>? = nil) {
        if let hosts { wakeUps.announce(to: hosts) } else { wakeUps.announce() }
    }

    func changes(of host: HostID) -> AsyncStream<Void> { wakeUps.changes(of: host) }

    /// Places a new site on the serving hosts that the installation's policy names.
    func place(_ site: SiteID, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        let fleet = try await PlacementFleet(stores: stores, at: now, in: transaction)
        for host in settings.placement.change(among: fleet.candidates(for: [])).added {
            try await stores.placements.place(site, on: host, at: now, in: transaction)
        }
    }

    /// Places every site on a host that just became a member.
    ///
    /// Only those that are to be everywhere: the others are where they should be.
    func placeAll(on host: HostID, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        let own = try await stores.sitePlacements.all(in: transaction)
        let standard = settings.placement
        var request = try PageRequest(limit: 200)
        while true {
            let sites = try await stores.sites.list(owner: nil, page: request, in: transaction)
            for site in sites.items {
                let policy = own[site.id] ?? standard
                // A host that just joined has no labels yet.
                guard policy.copies == nil, policy.selector == .none else { continue }
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
        guard !inventory.isEmpty else { return }
        let now = clock.now()
        try await database.withTransaction { transaction in
            for status in inventory {
                guard var placement = try await stores.placements.find(status.site, on: host, in: transaction) else {
                    continue
                }
                if try await note(localRollback: status, of: &placement, at: now, in: transaction) { continue }
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

    /// One message's worth of a snapshot.
    struct SnapshotPart: Sendable {
        let sites: [DesiredSite]
        let index: Int
        let isLast: Bool
        /// Where the next part begins.
        fileprivate let end: SiteID?
    }

    /// The part behind `previous` of everything that is placed on `host`; the first one for `nil`.
    ///
    /// Parts are read one by one. Rows of placements stay, so none is missed; what changes meanwhile comes as a change.
    func snapshot(of host: HostID, after previous: SnapshotPart?) async throws -> SnapshotPart {
        try await database.read { transaction in
            guard try await !stores.installation.isRecovering(in: transaction) else {
                throw ServiceError(.unavailable, "the coordinator is in recovery", rule: "recovery")
            }
            let placements = try await stores.placements.list(
                on: host, after: previous?.end, limit: settings.sitesPerMessage + 1, in: transaction)
            let (sites, end) = try await fill(placements.prefix(settings.sitesPerMessage), in: transaction)
            return SnapshotPart(
                sites: sites, index: previous.map { $0.index + 1 } ?? 0,
                isLast: end == placements.last?.site && placements.count <= settings.sitesPerMessage,
                end: end ?? previous?.end)
        }
    }

    /// What `host` has not applied yet, apart from generations that were sent to it already: one message's worth of it.
    func delta(for host: HostID, sent: [SiteID: Int64]) async throws -> [DesiredSite] {
        try await database.read { transaction in
            guard try await !stores.installation.isRecovering(in: transaction) else { return [] }
            let news = try await stores.placements.pending(on: host, in: transaction)
                .filter { $0.generation > sent[$0.site, default: 0] }
            return try await fill(news, in: transaction).sites
        }
    }

    /// The states of as many placements as fit into one message, and where the next message begins behind.
    private func fill(
        _ placements: some Sequence<Placement>, in transaction: any SQLTransaction
    ) async throws -> (sites: [DesiredSite], end: SiteID?) {
        var sites: [DesiredSite] = []
        var end: SiteID?
        var size = 0
        for placement in placements where size < Self.messageSize && sites.count < settings.sitesPerMessage {
            end = placement.site
            guard let site = try await desired(placement, in: transaction) else { continue }
            sites.append(site)
            size += site.canonicalText.utf8.count
        }
        return (sites, end)
    }

    /// Notes what a host said about one generation of one site.
    func record(_ status: SiteStatus, from host: HostID) async throws {
        FaultPoint.siteStatusReceived.reach()
        let now = clock.now()
        let isRaised = try await database.withTransaction(on: .only([status.site.text])) { transaction in
            guard var placement = try await stores.placements.find(status.site, on: host, in: transaction),
                let wanted = try await desired(placement, in: transaction)
            else { return false }
            if try await note(localRollback: status, of: &placement, at: now, in: transaction) {
                return settings.undoesLocalRollbacks
            }
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

    /// Somebody on the host made another version live there than was asked for: an operator decided what becomes of that.
    /// Returns whether it is so, and nothing more is to be done.
    private func note(
        localRollback status: SiteStatus, of placement: inout Placement, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> Bool {
        guard let version = status.localVersion, status.generation >= placement.generation, !placement.isRemoved else {
            return false
        }
        let remark = "Somebody on the host rolled it back to version \(version) there."
        if placement.error != remark {
            try await AuditTrail(stores: stores).record(
                .siteRolledBackLocally, on: status.site.text, of: status.site, by: .host(placement.host),
                ["version": version.description, "kept": settings.undoesLocalRollbacks ? "no" : "yes"], at: now,
                in: transaction)
            logger.warning(
                "A site was rolled back on its host",
                metadata: [
                    "host.id": "\(placement.host)", "site.id": "\(status.site)", "version": "\(version)",
                    "kept": "\(!settings.undoesLocalRollbacks)",
                ])
        }
        if settings.undoesLocalRollbacks {
            try await stores.placements.raiseGeneration(
                of: status.site, on: placement.host, above: status.generation, at: now, in: transaction)
            return true
        }
        placement.state = .applied
        placement.appliedGeneration = max(placement.appliedGeneration, status.generation)
        placement.error = remark
        placement.updatedAt = now
        try await stores.placements.save(placement, in: transaction)
        if let wanted = try await desired(placement, in: transaction) {
            try await appendEvent(placement, wanted: wanted, at: now, in: transaction)
        }
        return true
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
        var wanted = DesiredSite(
            site: site.id, generation: placement.generation, live: try await tree(site.live),
            preview: try await tree(site.preview), previous: try await tree(site.previous),
            liveNames: try [DomainName(names.live(of: site))]
                + (try await stores.sites.domains(of: site.id, in: transaction)),
            previewNames: [try DomainName(names.preview(of: site))], maintenance: site.maintenance?.message,
            addresses: site.addresses)
        wanted.prepared = try await tree(
            try await stores.preparedReleases.version(of: site.id, at: clock.now(), in: transaction))
        return wanted
    }
}
