package import Database
package import Domain
package import Logging
package import Persistence
import ServiceLifecycle

/// Decides on which hosts sites are, and moves them when the policy says so.
package struct PlacementService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let desiredState: DesiredState
    private let feed: EventFeed
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, desiredState: DesiredState, feed: EventFeed,
        settings: CoordinatorSettings, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.desiredState = desiredState
        self.feed = feed
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    /// The policy of one site.
    package struct View: Sendable {
        package let site: SiteID
        package let policy: PlacementPolicy
        /// Whether the site has one of its own; otherwise it is the installation's.
        package let isOwn: Bool
        /// Where it is now.
        package let hosts: [HostID]
    }

    package func find(_ reference: String, for principal: Principal) async throws -> View {
        try principal.requireAdmin()
        return try await database.read { transaction in
            let site = try await SiteAccess(stores: stores).find(reference, for: principal, in: transaction)
            return try await view(site.id, in: transaction)
        }
    }

    /// Gives a site a policy of its own; `nil` takes it away again.
    package func set(
        _ policy: PlacementPolicy?, of reference: String, for principal: Principal, once: Once<View> = .unkeyed
    ) async throws -> View {
        try principal.requireAdmin()
        let policy = try policy?.validated()
        let now = clock.now()
        let view = try await database.withTransaction(once) { transaction in
            let site = try await SiteAccess(stores: stores).find(reference, for: principal, in: transaction)
            if let policy {
                try await stores.sitePlacements.set(policy, for: site.id, at: now, in: transaction)
            } else {
                try await stores.sitePlacements.delete(site.id, in: transaction)
            }
            try await AuditTrail(stores: stores).record(
                .placementChanged, on: site.id.text, of: site.id, for: principal,
                ["policy": policy.map(Self.words) ?? "standard"], at: now, in: transaction)
            let fleet = try await PlacementFleet(stores: stores, at: now, in: transaction)
            _ = try await arrange(site.id, policy ?? settings.placement, fleet, at: now, in: transaction)
            return try await self.view(site.id, in: transaction)
        }
        desiredState.advance()
        return view
    }

    private static func words(_ policy: PlacementPolicy) -> String {
        let copies = policy.copies.map(String.init) ?? "all"
        return "copies=\(copies) selector=\(policy.selector) spread=\(policy.spread ?? "-")"
    }

    private func view(_ site: SiteID, in transaction: any SQLTransaction) async throws -> View {
        let own = try await stores.sitePlacements.find(site, in: transaction)
        let hosts = try await stores.placements.list(of: site, in: transaction).filter { !$0.isRemoved }.map(\.host)
        return View(site: site, policy: own ?? settings.placement, isOwn: own != nil, hosts: hosts)
    }

    /// Whether there is anything to keep at all: with every site everywhere there is not.
    func needsKeeping() async throws -> Bool {
        guard settings.placement == .everywhere else { return true }
        return try await database.read { try await !stores.sitePlacements.all(in: $0).isEmpty }
    }

    /// What changes when sites may have to move.
    func fingerprint() async throws -> [String] {
        let now = clock.now()
        return try await database.read { transaction in
            try await PlacementFleet(stores: stores, at: now, in: transaction).fingerprint
                + stores.sitePlacements.all(in: transaction).map { "\($0.key) \($0.value)" }.sorted()
        }
    }

    /// Looks at every site once and changes what has to be changed. Returns whether something is under way, so that it is
    /// to be looked at again soon.
    package func arrangeAll(confirming confirm: @Sendable (any SQLTransaction) async throws -> Void) async throws
        -> Bool
    {
        var isUnderWay = false
        var hasChanged = false
        var request = try PageRequest(limit: 200)
        while true {
            let page = request
            let now = clock.now()
            let (next, changed, open) = try await database.withTransaction { transaction in
                try await confirm(transaction)
                let own = try await stores.sitePlacements.all(in: transaction)
                let fleet = try await PlacementFleet(stores: stores, at: now, in: transaction)
                let sites = try await stores.sites.list(owner: nil, page: page, in: transaction)
                var changed = false
                var open = false
                for site in sites.items {
                    let result = try await arrange(
                        site.id, own[site.id] ?? settings.placement, fleet, at: now, in: transaction)
                    changed = changed || result.changed
                    open = open || result.open
                }
                return (sites.nextCursor, changed, open)
            }
            hasChanged = hasChanged || changed
            isUnderWay = isUnderWay || open || changed
            guard let next else { break }
            request = try PageRequest(cursor: next, limit: 200)
        }
        if hasChanged {
            desiredState.advance()
            feed.announce()
        }
        return isUnderWay
    }

    private func arrange(
        _ site: SiteID, _ policy: PlacementPolicy, _ fleet: PlacementFleet, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> (changed: Bool, open: Bool) {
        let placements = try await stores.placements.list(of: site, in: transaction)
        let candidates = fleet.candidates(for: placements)
        let change = policy.change(among: candidates)
        for host in change.added { try await stores.placements.placeAgain(site, on: host, at: now, in: transaction) }
        for host in change.removed { try await stores.placements.remove(site, from: host, at: now, in: transaction) }
        if !change.added.isEmpty || !change.removed.isEmpty {
            logger.notice(
                "Moved a site",
                metadata: [
                    "site.id": "\(site)", "added": "\(change.added.map(\.text))",
                    "removed": "\(change.removed.map(\.text))", "missing": "\(change.missing)",
                ])
        }
        let isWaiting = candidates.contains { $0.hasSite && !$0.isServing && $0.presence == .here }
        return (!change.added.isEmpty || !change.removed.isEmpty, isWaiting)
    }
}

/// Keeps sites where their policies want them; on the steward only.
package struct PlacementKeeper: Service {
    private static let interval = Duration.seconds(2)
    /// Even when nothing seems to have changed.
    private static let longestRest = Duration.seconds(300)

    private let placements: PlacementService
    private let stewardship: Stewardship
    private let logger: Logger

    package init(placements: PlacementService, stewardship: Stewardship, logger: Logger) {
        self.placements = placements
        self.stewardship = stewardship
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var known: [String] = []
            var last: ContinuousClock.Instant?
            while !Task.isCancelled {
                // Ends early when cancelled.
                try? await Task.sleep(for: Self.interval)
                do {
                    guard let term = try await stewardship.hold(), try await placements.needsKeeping() else { continue }
                    let fingerprint = try await placements.fingerprint()
                    let isRested = last.map { $0.duration(to: .now) >= Self.longestRest } ?? true
                    guard fingerprint != known || isRested else { continue }
                    let isUnderWay = try await placements.arrangeAll {
                        try await stewardship.confirm(term, in: $0)
                    }
                    last = .now
                    known = isUnderWay ? [] : fingerprint
                } catch is CancellationError {
                    break
                } catch {
                    logger.error("Could not look after the places of sites", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
