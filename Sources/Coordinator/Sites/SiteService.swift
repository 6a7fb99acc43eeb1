import Artifacts
package import Database
package import Domain
package import Logging
package import Persistence

/// Makes, shows and changes sites.
package struct SiteService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let versions: VersionRecorder
    private let desiredState: DesiredState
    private let feed: EventFeed
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let templates: [SiteTemplate]
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, versions: VersionRecorder, desiredState: DesiredState,
        feed: EventFeed, settings: CoordinatorSettings, clock: any WallClock, templates: [SiteTemplate],
        logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.versions = versions
        self.desiredState = desiredState
        self.feed = feed
        self.settings = settings
        self.clock = clock
        self.templates = templates
        self.logger = logger
    }

    private var access: SiteAccess { SiteAccess(stores: stores) }
    private var audit: AuditTrail { AuditTrail(stores: stores) }
    private var names: SiteNames { SiteNames(settings: settings) }

    /// What a new site can begin with.
    package func listTemplates() -> [SiteTemplate] { templates }

    /// Makes a site whose version 1 is the template (the first one when `template` is `nil`), live at once.
    package func create(
        slug: String, name: String, template: String?, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        let slug = try Slug(slug)
        let name = try Site.validName(name)
        guard let chosen = template == nil ? templates.first : templates.first(where: { $0.name == template }) else {
            throw ServiceError(
                .invalidArgument, "there is no template \"\((template ?? "").prefix(64))\"", field: "template",
                rule: "template-known",
                nextStep: "Choose one of: " + templates.map(\.name).joined(separator: ", ") + ".")
        }
        let now = clock.now()
        let content = try await versions.store(files: chosen.files)
        let checked = try await versions.check(content, parent: nil, origin: .template(chosen.name))
        let view = try await versions.recording(checked) { checked in
            try await database.withTransaction(once) { transaction in
                var site = Site(id: SiteID(at: now), owner: principal.user, slug: slug, name: name, createdAt: now)
                try await stores.sites.insert(site, in: transaction)
                let version = try await versions.record(
                    checked, on: &site, parent: nil, origin: .template(chosen.name), author: principal.user,
                    summary: "Started from the template \(chosen.title)", at: now, in: transaction)
                let release = try site.promote(version.number, by: principal.user, at: now)
                try await stores.sites.save(site, in: transaction)
                try await stores.releases.insert(release, in: transaction)
                try await desiredState.place(site.id, at: now, in: transaction)
                try await audit.record(
                    .siteCreated, on: site.id.text, of: site.id, for: principal,
                    [
                        "slug": slug.text, "template": chosen.name, "version": version.number.description,
                        "release": String(release.number),
                    ], at: now, in: transaction)
                try await feed.append(
                    .siteCreated, owner: site.owner, site: site.id,
                    body: ["site_id": EventValue(site.id), "slug": .text(slug.text)], at: now, in: transaction)
                return try await self.view(site, in: transaction)
            }
        }
        feed.announce()
        desiredState.advance()
        logger.notice("Created site", metadata: ["site.id": "\(view.site.id)", "site.slug": "\(slug)"])
        return view
    }

    /// Newest first; admins see all. `word` must be in the name, the slug or a domain.
    package func list(
        for principal: Principal, matching word: String = "", page: PageRequest
    ) async throws -> Page<SiteView> {
        let owner = principal.isAdmin ? nil : principal.user
        let word = word.trimmed.lowercased()
        let viewer = SiteViewer(stores: stores, settings: settings)
        guard !word.isEmpty else {
            return try await viewer.page(SiteSelection(owner: owner, page: page), of: database)
        }
        // A search looks at many sites to find a few: it is made once, and then asked what belongs to these.
        return try await database.read { transaction in
            let sites = try await stores.sites.list(owner: owner, matching: word, page: page, in: transaction)
            let views = try await viewer.views(sites.items, isLast: true, in: transaction)
            return Page(items: views, nextCursor: sites.nextCursor)
        }
    }

    /// `reference` is an identifier or a slug.
    package func find(_ reference: String, for principal: Principal) async throws -> SiteView {
        try await database.read { transaction in
            try await view(try await access.find(reference, for: principal, in: transaction), in: transaction)
        }
    }

    package func rename(
        _ reference: String, to name: String, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        try await update(reference, SiteChange(name: name), for: principal, once: once)
    }

    /// Gives a site another name, or other rules for addresses, or both at once.
    package func update(
        _ reference: String, _ wanted: SiteChange, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        let name = try wanted.name.map { try Site.validName($0) }
        guard name != nil || wanted.reachesHosts else {
            throw ServiceError(
                .invalidArgument, "nothing is to be changed", rule: "change-empty",
                nextStep: "Say at least one of name, mode and missing_page.")
        }
        return try await change(reference, for: principal, once: once, reachesHosts: wanted.reachesHosts) {
            site, _, _ in
            var notes: [(AuditAction, [String: String])] = []
            if let name {
                site.name = name
                notes.append((.siteRenamed, ["name": name]))
            }
            if wanted.reachesHosts {
                site.addresses = try AddressRules(
                    mode: wanted.mode ?? site.addresses.mode,
                    missingPage: wanted.missingPage ?? site.addresses.missingPage)
                notes.append(
                    (.addressesSet, ["mode": site.addresses.mode.rawValue, "missing-page": site.addresses.missingPage]))
            }
            return notes
        }
    }

    /// Deletes the site: it is gone for its owner at once, and hosts are told to remove it.
    @discardableResult
    package func delete(
        _ reference: String, for principal: Principal, once: Once<Site> = .unkeyed
    ) async throws -> Site {
        let now = clock.now()
        let site = try await database.withTransaction(once) { transaction in
            var site = try await access.find(reference, for: principal, in: transaction)
            // Whoever still works on it is stale from now on.
            _ = site.raiseFence()
            try await stores.sites.save(site, in: transaction)
            try await stores.jobs.cancelAll(of: site.id, at: now, in: transaction)
            try await stores.placements.markRemoved(site.id, at: now, in: transaction)
            try await stores.sites.markDeleted(site.id, at: now, in: transaction)
            try await audit.record(
                .siteDeleted, on: site.id.text, of: site.id, for: principal, ["slug": site.slug.text], at: now,
                in: transaction)
            try await feed.append(
                .siteDeleted, owner: site.owner, site: site.id,
                body: ["site_id": EventValue(site.id), "slug": .text(site.slug.text)], at: now, in: transaction)
            return site
        }
        feed.announce()
        desiredState.advance()
        logger.notice("Deleted site", metadata: ["site.id": "\(site.id)", "site.slug": "\(site.slug)"])
        return site
    }

    package func addDomain(
        _ name: String, to reference: String, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        let domain = try DomainName(name)
        try names.requireForeign(domain)
        return try await change(reference, .domainAdded, for: principal, once: once, reachesHosts: true) {
            site, now, transaction in
            try await stores.sites.addDomain(domain, to: site.id, at: now, in: transaction)
            return ["domain": domain.text]
        }
    }

    package func removeDomain(
        _ name: String, from reference: String, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        let domain = try DomainName(name)
        return try await change(reference, .domainRemoved, for: principal, once: once, reachesHosts: true) {
            site, _, transaction in
            guard try await stores.sites.removeDomain(domain, from: site.id, in: transaction) else {
                throw ServiceError(.notFound, "\(site.slug) has no domain \(domain)", field: "domain")
            }
            return ["domain": domain.text]
        }
    }

    /// Shows visitors the maintenance page, with `message` on it.
    package func setMaintenance(
        _ message: String?, on reference: String, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        let maintenance = try Site.Maintenance(
            message: message?.trimmed ?? "We are working on this site and will be back soon.")
        return try await change(reference, .maintenanceSet, for: principal, once: once, reachesHosts: true) {
            site, _, _ in
            site.maintenance = maintenance
            return [:]
        }
    }

    package func clearMaintenance(
        on reference: String, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        try await change(reference, .maintenanceCleared, for: principal, once: once, reachesHosts: true) {
            site, _, _ in
            site.maintenance = nil
            return [:]
        }
    }

    /// Which engine edits the site when an edit does not say; `nil` is the installation's choice.
    package func setEngine(
        _ name: String?, of reference: String, for principal: Principal, once: Once<SiteView> = .unkeyed
    ) async throws -> SiteView {
        let engine = try name.map { try EngineName(named: $0) }
        return try await change(reference, .siteEngineChosen, for: principal, once: once, reachesHosts: false) {
            site, _, _ in
            site.engine = engine
            return ["engine": engine?.rawValue ?? "-"]
        }
    }

    /// `body` returns what the audit log notes of it.
    private func change(
        _ reference: String, _ action: AuditAction, for principal: Principal, once: Once<SiteView>, reachesHosts: Bool,
        _ body: @Sendable (inout Site, Timestamp, any SQLTransaction) async throws -> [String: String]
    ) async throws -> SiteView {
        try await change(reference, for: principal, once: once, reachesHosts: reachesHosts) { site, now, transaction in
            [(action, try await body(&site, now, transaction))]
        }
    }

    /// `body` returns what the audit log notes of it, a row each.
    private func change(
        _ reference: String, for principal: Principal, once: Once<SiteView>, reachesHosts: Bool,
        _ body: @Sendable (inout Site, Timestamp, any SQLTransaction) async throws -> [(AuditAction, [String: String])]
    ) async throws -> SiteView {
        let now = clock.now()
        let view = try await database.withTransaction(once) { transaction in
            var site = try await access.find(reference, for: principal, in: transaction)
            let notes = try await body(&site, now, transaction)
            try await stores.sites.save(site, in: transaction)
            for (action, details) in notes {
                try await audit.record(
                    action, on: site.id.text, of: site.id, for: principal, details, at: now, in: transaction)
            }
            if reachesHosts { try await stores.placements.raiseGenerations(of: site.id, at: now, in: transaction) }
            try await feed.append(
                .siteUpdated, owner: site.owner, site: site.id,
                body: ["site_id": EventValue(site.id), "slug": .text(site.slug.text)], at: now, in: transaction)
            return try await self.view(site, in: transaction)
        }
        feed.announce()
        if reachesHosts { desiredState.advance() }
        return view
    }

    private func view(_ site: Site, in transaction: any SQLTransaction) async throws -> SiteView {
        try await SiteViewer(stores: stores, settings: settings).view(site, in: transaction)
    }
}
