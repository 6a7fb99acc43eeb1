package import Database
package import Domain
import Faults
package import Logging
import Metrics
package import Persistence
import Telemetry

/// Moves the two pointers of a site.
package struct ReleaseService: Sendable {
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

    private var access: SiteAccess { SiteAccess(stores: stores) }

    /// Shows a version at the preview address.
    package func setPreview(
        _ number: Int, on reference: String, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        try await showPreview(on: reference, for: principal, once: once) { site, transaction in
            try await access.version(number, of: site, in: transaction).number
        }
    }

    /// Shows the version that the one in the preview was made from. Nothing is lost: the newer one stays in the list.
    package func undo(
        on reference: String, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        try await showPreview(on: reference, for: principal, once: once) { site, transaction in
            guard let shown = site.preview,
                let parent = try await stores.versions.find(shown, of: site.id, in: transaction)?.parent
            else {
                throw ServiceError(
                    .failedPrecondition,
                    "the preview of \(site.slug) shows its first version; there is nothing to undo",
                    rule: "nothing-to-undo")
            }
            return parent
        }
    }

    /// Shows what one of several tries made.
    package func pick(
        _ id: EditID, on reference: String, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        try await showPreview(on: reference, for: principal, once: once) { site, transaction in
            guard let edit = try await stores.edits.find(id, of: site.id, in: transaction) else {
                throw ServiceError(.notFound, "\(site.slug) has no edit \(id)", field: "edit")
            }
            if let version = try await stores.reviews.find(edit.job, in: transaction)?.version { return version }
            guard case .succeeded(let version) = try await stores.jobs.find(edit.job, in: transaction)?.job.state else {
                throw ServiceError(
                    .failedPrecondition, "the edit \(edit.id) made no version", rule: "edit-version",
                    nextStep: "Look what became of it with: pagewright job \(edit.job).")
            }
            return version
        }
    }

    private func showPreview(
        on reference: String, for principal: Principal, once: Once<SiteView>,
        choose: @Sendable (Site, any SQLTransaction) async throws -> VersionNumber
    ) async throws -> SiteView {
        let now = clock.now()
        let view = try await database.withTransaction(once) { transaction in
            var site = try await access.find(reference, for: principal, in: transaction)
            let number = try await choose(site, transaction)
            try site.showPreview(of: number)
            try await stores.sites.save(site, in: transaction)
            try await stores.placements.raiseGenerations(of: site.id, at: now, in: transaction)
            try await AuditTrail(stores: stores).record(
                .previewMoved, on: site.id.text, of: site.id, for: principal, ["version": number.description],
                at: now, in: transaction)
            try await feed.append(
                .previewChanged, owner: site.owner, site: site.id,
                body: ["site_id": EventValue(site.id), "version": EventValue(number)], at: now, in: transaction)
            return try await SiteViewer(stores: stores, settings: settings).view(site, in: transaction)
        }
        feed.announce()
        desiredState.advance()
        return view
    }

    /// Makes a version the one that visitors see. It is live when the hosts say so.
    ///
    /// - Parameter unchecked: whether to go ahead although a browser still looks at the version.
    /// - Throws: what ``ReleaseCondition/require(_:of:at:in:)`` says.
    package func promote(
        _ number: Int, on reference: String, unchecked: Bool = false, for principal: Principal,
        once: Once<Release> = .unkeyed
    ) async throws -> Release {
        try await release(
            on: reference, for: principal, once: once, condition: ReleaseCondition(stores: stores, unchecked: unchecked)
        ) { _ in number }
    }

    /// Makes a version live on all hosts of the site, or on none: every host fetches, checks and builds it first. Waits for
    /// that, for the time that the settings give it; when a host cannot, nothing has changed for visitors, and the error
    /// names it.
    package func promoteEverywhere(
        _ number: Int, on reference: String, unchecked: Bool = false, for principal: Principal,
        once: Once<Release> = .unkeyed
    ) async throws -> Release {
        let now = clock.now()
        var generator = SystemRandomNumberGenerator()
        let token = Hexadecimal.text(of: (0..<12).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        let deadline = now + settings.prepareTimeout
        let condition = ReleaseCondition(stores: stores, unchecked: unchecked)
        let (plan, names, notes) = try await database.withTransaction { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            let version = try await access.version(number, of: site, in: transaction)
            let notes = try await condition.require(version, of: site, at: now, in: transaction)
            // What will be refused in the end is not prepared at all.
            var trial = site
            _ = try trial.promote(version.number, by: principal.user, at: now)
            guard
                try await stores.preparedReleases.begin(
                    version.number, of: site.id, token: token, at: now, until: deadline, in: transaction)
            else {
                throw ServiceError(
                    .conflict, "another version of \(site.slug) is being prepared", rule: "release-prepared",
                    nextStep: "Wait until that one is live or was given up.")
            }
            try await stores.placements.raiseGenerations(of: site.id, at: now, in: transaction)
            var names: [HostID: String] = [:]
            var generations: [HostID: Int64] = [:]
            for placement in try await stores.placements.list(of: site.id, in: transaction) where !placement.isRemoved {
                guard let host = try await stores.hosts.find(placement.host, in: transaction), !host.state.isShutOut
                else { continue }
                names[host.id] = host.name
                generations[host.id] = placement.generation
            }
            return (
                PreparedRelease(
                    site: site.id, version: version.number, generations: generations, deadline: deadline), names,
                notes
            )
        }
        desiredState.advance()
        do {
            try await waitUntilPrepared(plan, names: names)
            let release = try await database.withTransaction(once) { transaction in
                var site = try await access.find(plan.site.text, for: principal, in: transaction)
                guard try await stores.preparedReleases.end(plan.site, token: token, in: transaction) else {
                    throw ServiceError(
                        .unavailable, "the preparation took too long and was given up", rule: "release-prepared")
                }
                let at = clock.now()
                let release = try await record(
                    plan.version, on: &site, for: principal, notes, at: at, in: transaction)
                try await stores.sites.save(site, in: transaction)
                try await stores.placements.raiseGenerations(of: site.id, at: at, in: transaction)
                return release
            }
            announce(release)
            return release
        } catch {
            // The caller may be gone; the site must not be left in preparation.
            await Task {
                _ = try? await database.withTransaction { transaction in
                    try await stores.preparedReleases.end(plan.site, token: token, in: transaction)
                }
            }.value
            throw error
        }
    }

    private func waitUntilPrepared(_ plan: PreparedRelease, names: [HostID: String]) async throws {
        while true {
            let placements = try await database.read { transaction in
                try await stores.placements.list(of: plan.site, in: transaction)
            }.filter { names[$0.host] != nil }
            switch plan.step(seeing: placements, names: names, at: clock.now()) {
            case .commit: return
            case .wait: try await Task.sleep(for: .milliseconds(100))
            case .abort(let reason):
                throw ServiceError(
                    .failedPrecondition, "not every host can show version \(plan.version), so none does: \(reason)",
                    rule: "release-all-or-nothing",
                    nextStep: "Look at the hosts with: pagewright hosts; or promote it as they come.")
            }
        }
    }

    /// Promotes the version that was live before, or `number`.
    package func rollBack(
        on reference: String, to number: Int?, for principal: Principal, once: Once<Release> = .unkeyed
    ) async throws -> Release {
        try await release(on: reference, for: principal, once: once) { site in
            if let number { return number }
            guard let previous = site.previous else {
                throw ServiceError(
                    .failedPrecondition, "\(site.slug) has had one release only, so there is nothing to go back to",
                    rule: "no-previous-release", nextStep: "Promote another version instead.")
            }
            return previous.rawValue
        }
    }

    /// Newest first.
    package func list(
        of reference: String, page: PageRequest, for principal: Principal
    ) async throws -> Page<Release> {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            return try await stores.releases.list(of: site.id, page: page, in: transaction)
        }
    }

    private func release(
        on reference: String, for principal: Principal, once: Once<Release>,
        condition: ReleaseCondition? = nil,
        choose: @Sendable (Site) throws -> Int
    ) async throws -> Release {
        let now = clock.now()
        let release = try await database.withTransaction(once) { transaction in
            var site = try await access.find(reference, for: principal, in: transaction)
            let version = try await access.version(try choose(site), of: site, in: transaction)
            let notes = try await condition?.require(version, of: site, at: now, in: transaction) ?? [:]
            let release = try await record(
                version.number, on: &site, for: principal, notes, at: now, in: transaction)
            try await stores.sites.save(site, in: transaction)
            try await stores.placements.raiseGenerations(of: site.id, at: now, in: transaction)
            return release
        }
        announce(release)
        return release
    }

    /// Moves the live pointer, in the caller's transaction. The caller saves `site` and raises its generations, and
    /// calls ``announce(_:)`` after the commit.
    ///
    /// - Parameter notes: what else the audit log says of it.
    func record(
        _ version: VersionNumber, on site: inout Site, for principal: Principal, _ notes: [String: String] = [:],
        at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Release {
        let release = try site.promote(version, by: principal.user, at: now)
        try await stores.releases.insert(release, in: transaction)
        var details = notes
        details["release"] = String(release.number)
        details["version"] = release.version.description
        details["replaced"] = release.replaced?.description
        try await AuditTrail(stores: stores).record(
            .releaseCreated, on: site.id.text, of: site.id, for: principal, details, at: now, in: transaction)
        try await feed.append(
            .releaseCreated, owner: site.owner, site: site.id,
            body: [
                "site_id": EventValue(site.id), "number": EventValue(release.number),
                "version": EventValue(release.version),
            ], at: now, in: transaction)
        FaultPoint.beforeReleaseCommit.reach()
        return release
    }

    /// Tells of a release that was committed.
    func announce(_ release: Release) {
        FaultPoint.afterReleaseCommit.reach()
        MetricsSystem.factory.increment(.releases)
        desiredState.advance()
        feed.announce()
        logger.notice(
            "Released version",
            metadata: [
                "site.id": "\(release.site)", "version.number": "\(release.version)",
                "release.number": "\(release.number)",
            ])
    }
}
