package import Database
package import Domain
import Faults
package import Logging
package import Persistence

/// Takes requests in words and makes jobs of them.
package struct EditService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let ready: ReadyJobs
    private let workers: WorkerPool
    private let feed: EventFeed
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, ready: ReadyJobs, workers: WorkerPool, feed: EventFeed,
        settings: CoordinatorSettings, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.ready = ready
        self.workers = workers
        self.feed = feed
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    private var access: SiteAccess { SiteAccess(stores: stores) }

    /// Accepts an edit: from now on it is not lost. When another job of the site runs, it waits in line.
    package func submit(
        prompt: String, engine: String?, baseVersion: Int?, to reference: String, for principal: Principal,
        once: Once<(edit: Edit, job: JobView)> = .unkeyed
    ) async throws -> (edit: Edit, job: JobView) {
        let prompt = try Prompt(prompt)
        let engine = try EngineName(named: engine ?? settings.defaultEngine)
        let now = clock.now()
        // All that is decided belongs to the site: edits of other sites are taken side by side.
        let id = try await database.read { try await access.find(reference, for: principal, in: $0).id }
        let (edit, view) = try await database.withTransaction(once, on: .only([id.text])) { transaction in
            let site = try await access.find(id.text, for: principal, in: transaction)
            // Taking the site's row first keeps the order of locks.
            try await stores.sites.save(site, in: transaction)
            guard let shown = site.preview ?? site.live else {
                throw ServiceError(.failedPrecondition, "\(site.slug) has no version to edit", rule: "no-version")
            }
            var base: VersionNumber?
            if let baseVersion { base = try await access.version(baseVersion, of: site, in: transaction).number }
            guard try await stores.jobs.countQueued(of: site.id, in: transaction) < settings.queuedEditsPerSite else {
                throw ServiceError(
                    .quotaExceeded, "\(settings.queuedEditsPerSite) edits of \(site.slug) wait already",
                    rule: "queued-edits", nextStep: "Wait for some of them to finish, or cancel some.")
            }
            let job = try await SiteLine(stores: stores).join(
                Job(id: JobID(at: now), site: site.id, kind: .edit, createdAt: now), owner: site.owner, at: now,
                in: transaction)
            let edit = Edit(
                id: EditID(at: now), site: site.id, author: principal.user, prompt: prompt, engine: engine,
                base: base ?? shown, isBaseChosen: base != nil, job: job.id, createdAt: now)
            try await stores.edits.insert(edit, in: transaction)
            try await AuditTrail(stores: stores).record(
                .editAccepted, on: edit.id.text, of: site.id, for: principal,
                ["job": job.id.text, "engine": engine.rawValue, "base": edit.base.description], at: now,
                in: transaction)
            try await JobEvents(feed: feed).append(.jobQueued, job, owner: site.owner, at: now, in: transaction)
            return (
                edit, try await JobViewer(stores: stores, workers: workers).view(JobRecord(job: job), in: transaction)
            )
        }
        FaultPoint.editAccepted.reach()
        if view.job.isActive { await ready.announce(view.job) }
        feed.announce()
        logger.info(
            "Accepted edit",
            metadata: [
                "edit.id": "\(edit.id)", "job.id": "\(edit.job)", "site.id": "\(edit.site)",
                "engine": "\(engine.rawValue)",
            ])
        return (edit, view)
    }

    /// Newest first.
    package func list(of reference: String, page: PageRequest, for principal: Principal) async throws -> Page<Edit> {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            return try await stores.edits.list(of: site.id, page: page, in: transaction)
        }
    }
}
