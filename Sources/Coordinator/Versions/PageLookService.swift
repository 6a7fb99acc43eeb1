package import Artifacts
package import Database
package import Domain
package import Logging
package import Persistence

/// Has a worker's browser look at a version that nobody looked at: one that was uploaded, that a template made, or whose
/// worker had no browser.
package struct PageLookService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let manifests: ManifestCache
    private let ready: ReadyJobs
    private let workers: WorkerPool
    private let feed: EventFeed
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, manifests: ManifestCache, ready: ReadyJobs, workers: WorkerPool,
        feed: EventFeed, settings: CoordinatorSettings, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.manifests = manifests
        self.ready = ready
        self.workers = workers
        self.feed = feed
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    private var access: SiteAccess { SiteAccess(stores: stores) }

    /// Makes a job that takes pictures of pages of a version. It ends when a worker with a browser has the files; the
    /// version's checks wait for what it sees.
    ///
    /// - Parameter pages: paths of pages, twelve at most; empty for those of which there is no picture, the start page first.
    /// - Throws: `invalidArgument` with rule `look-pages` for what is no page of the version, `conflict` with rule
    ///   `look-waiting` while a browser looks at it.
    package func look(
        at number: Int, of reference: String, pages names: [String], for principal: Principal,
        once: Once<JobView> = .unkeyed
    ) async throws -> JobView {
        let now = clock.now()
        let (found, shown) = try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            let version = try await access.version(number, of: site, in: transaction)
            return (
                version,
                Set(
                    try await stores.checks.pictures(version.number, of: site.id, in: transaction)
                        .map(\.picture.page))
            )
        }
        let manifest = try await manifests.manifest(found.digest)
        let pages = try names.isEmpty ? Self.pages(of: manifest, without: shown) : Self.pages(names, of: manifest)
        let view = try await database.withTransaction(once) { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            let version = try await access.version(number, of: site, in: transaction)
            let checks = try await stores.checks.find(version.number, of: site.id, in: transaction)
            if case .waiting? = checks?.settled(at: now).state {
                throw ServiceError(
                    .conflict, "a browser looks at version \(number) already", rule: "look-waiting",
                    nextStep: "Wait for it with: pagewright checks \(site.slug) \(number) --wait.")
            }
            // The site's row orders two who ask at once.
            try await stores.sites.save(site, in: transaction)
            guard try await stores.jobs.countQueued(of: site.id, in: transaction) < settings.queuedEditsPerSite else {
                throw ServiceError(
                    .quotaExceeded, "\(settings.queuedEditsPerSite) jobs of \(site.slug) wait already",
                    rule: "queued-edits", nextStep: "Wait for some of them to finish, or cancel some.")
            }
            let job = try await SiteLine(stores: stores).join(
                Job(id: JobID(at: now), site: site.id, kind: .look, createdAt: now), owner: site.owner, at: now,
                in: transaction)
            try await stores.edits.insert(
                Edit(
                    id: EditID(at: now), site: site.id, author: principal.user,
                    prompt: try Prompt("Take pictures of version \(number)"), engine: .browser, base: version.number,
                    isBaseChosen: true, job: job.id, createdAt: now, plannedFiles: pages.map(\.text)),
                in: transaction)
            try await AuditTrail(stores: stores).record(
                .lookAccepted, on: job.id.text, of: site.id, for: principal, ["version": String(number)], at: now,
                in: transaction)
            try await JobEvents(feed: feed).append(.jobQueued, job, owner: site.owner, at: now, in: transaction)
            return try await JobViewer(stores: stores, workers: workers).view(JobRecord(job: job), in: transaction)
        }
        if view.job.isActive { await ready.announce(view.job) }
        feed.announce()
        logger.info("Accepted look", metadata: ["job.id": "\(view.job.id)", "version.number": "\(number)"])
        return view
    }

    private static func pages(of manifest: Manifest, without shown: Set<SitePath>) throws -> [SitePath] {
        let all = manifest.entries.map(\.path).filter(\.isHTML)
        guard !all.isEmpty else {
            throw ServiceError(.failedPrecondition, "this version has no page", rule: "look-pages")
        }
        let rest = all.filter { !shown.contains($0) }
        let chosen = rest.isEmpty ? all : rest
        let ordered = chosen.filter { $0.text == "index.html" } + chosen.filter { $0.text != "index.html" }
        return Array(ordered.prefix(PageChecks.pageLimit))
    }

    private static func pages(_ names: [String], of manifest: Manifest) throws -> [SitePath] {
        guard names.count <= PageChecks.pageLimit else {
            throw ServiceError(
                .invalidArgument, "\(names.count) pages; \(PageChecks.pageLimit) are looked at", field: "pages",
                rule: "look-pages")
        }
        var pages: [SitePath] = []
        for name in names {
            guard let path = try? SitePath(name), path.isHTML, manifest.entry(at: path) != nil else {
                throw ServiceError(
                    .invalidArgument, "the version has no page \"\(name.prefix(64))\"", field: "pages",
                    rule: "look-pages", nextStep: "Name pages as the version's manifest does, such as about.html.")
            }
            if !pages.contains(path) { pages.append(path) }
        }
        return pages
    }
}
