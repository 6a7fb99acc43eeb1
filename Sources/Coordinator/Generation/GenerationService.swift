package import Database
package import Domain
import Faults
package import Logging
package import Persistence

/// Makes sites from briefs: takes the brief, shows the plan, lets it be changed, and goes on with what failed.
package struct GenerationService: Sendable {
    /// What came of a brief: the site that was made for it, and the job that fills it.
    package struct Accepted: Sendable {
        package let site: SiteView
        package let generation: GenerationView
    }

    /// How many names are tried for a site that has none of its own.
    private static let proposals = 50

    private let database: any SQLDatabase
    private let stores: Stores
    private let versions: VersionRecorder
    private let desiredState: DesiredState
    private let ready: ReadyJobs
    private let workers: WorkerPool
    private let feed: EventFeed
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, versions: VersionRecorder, desiredState: DesiredState,
        ready: ReadyJobs, workers: WorkerPool, feed: EventFeed, settings: CoordinatorSettings, clock: any WallClock,
        logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.versions = versions
        self.desiredState = desiredState
        self.ready = ready
        self.workers = workers
        self.feed = feed
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    private var access: SiteAccess { SiteAccess(stores: stores) }
    private var audit: AuditTrail { AuditTrail(stores: stores) }

    /// Makes a site whose version 1 says that it is being made, and a job that makes the rest. Nothing is live before
    /// somebody promotes it.
    ///
    /// - Parameters:
    ///   - slug: the site's; when left out, one that fits its name and is free.
    ///   - reviewsPlan: stop after the plan, until ``resume(_:for:once:)``.
    package func generate(
        _ brief: SiteBrief, slug: String?, engine: String?, reviewsPlan: Bool, for principal: Principal,
        once: Once<Accepted> = .unkeyed
    ) async throws -> Accepted {
        let engine = try self.engine(named: engine)
        let chosen = try slug.map { try Slug($0) }
        let now = clock.now()
        let name = try Site.validName(brief.businessName)
        let content = try await versions.store(files: SiteStarter.files(for: brief))
        let checked = try await versions.check(content, parent: nil, origin: .template(SiteStarter.name))
        let accepted = try await versions.recording(checked) { checked in
            try await database.withTransaction(once) { transaction in
                let slug = try await freeSlug(chosen, for: brief, in: transaction)
                var site = Site(id: SiteID(at: now), owner: principal.user, slug: slug, name: name, createdAt: now)
                try await stores.sites.insert(site, in: transaction)
                let version = try await versions.record(
                    checked, on: &site, parent: nil, origin: .template(SiteStarter.name), author: principal.user,
                    summary: "An empty site, to be filled from a brief", at: now, in: transaction)
                try await stores.sites.save(site, in: transaction)
                try await desiredState.place(site.id, at: now, in: transaction)
                try await audit.record(
                    .siteCreated, on: site.id.text, of: site.id, for: principal,
                    ["slug": slug.text, "template": SiteStarter.name, "version": version.number.description], at: now,
                    in: transaction)
                try await feed.append(
                    .siteCreated, owner: site.owner, site: site.id,
                    body: ["site_id": EventValue(site.id), "slug": .text(slug.text)], at: now, in: transaction)
                let generation = Generation(
                    id: GenerationID(at: now), site: site.id, author: principal.user, engine: engine, brief: brief,
                    reviewsPlan: reviewsPlan, job: JobID(at: now), createdAt: now)
                try await stores.generations.insert(generation, in: transaction)
                try await audit.record(
                    .generationAccepted, on: generation.id.text, of: site.id, for: principal,
                    ["job": generation.job.text, "engine": engine.rawValue, "reviews_plan": String(reviewsPlan)],
                    at: now, in: transaction)
                let job = try await enqueue(generation, on: site, base: version.number, at: now, in: transaction)
                return Accepted(
                    site: try await SiteViewer(stores: stores, settings: settings).view(site, in: transaction),
                    generation: try await view(generation, job: JobRecord(job: job), in: transaction))
            }
        }
        FaultPoint.editAccepted.reach()
        await announce(accepted.generation.job.job)
        desiredState.advance()
        logger.notice(
            "Accepted brief",
            metadata: [
                "site.id": "\(accepted.site.site.id)", "job.id": "\(accepted.generation.generation.job)",
                "engine": "\(engine.rawValue)",
            ])
        return accepted
    }

    /// The generation of a site.
    package func find(_ reference: String, for principal: Principal) async throws -> GenerationView {
        try await database.read { transaction in
            let (_, generation, record) = try await find(reference, for: principal, in: transaction)
            return try await view(generation, job: record, in: transaction)
        }
    }

    /// Replaces the plan that waits for its owner.
    package func changePlan(
        _ pages: [PlannedPage], of reference: String, for principal: Principal, once: Once<GenerationView> = .unkeyed
    ) async throws -> GenerationView {
        let now = clock.now()
        let view = try await database.withTransaction(once) { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            try await stores.sites.save(site, in: transaction)
            var (_, generation, record) = try await find(reference, for: principal, in: transaction)
            let kind = generation.plan?.kind ?? BusinessKind(in: generation.brief)
            try generation.change(try Sitemap(kind: kind, pages: pages), whileJobIs: record.job, at: now)
            try await stores.generations.save(generation, in: transaction)
            try await audit.record(
                .generationPlanChanged, on: generation.id.text, of: site.id, for: principal,
                ["pages": String(pages.count)], at: now, in: transaction)
            try await GenerationEvents(feed: feed).append(
                generation, of: record.job, owner: site.owner, at: now, in: transaction)
            return try await self.view(generation, job: record, in: transaction)
        }
        feed.announce()
        return view
    }

    /// Goes on: from the plan that waits, or, after a failure, from the steps that were done.
    package func resume(
        _ reference: String, for principal: Principal, once: Once<GenerationView> = .unkeyed
    ) async throws -> GenerationView {
        let now = clock.now()
        let view = try await database.withTransaction(once) { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            try await stores.sites.save(site, in: transaction)
            var (_, generation, record) = try await find(reference, for: principal, in: transaction)
            guard let base = site.preview ?? site.live else {
                throw ServiceError(.failedPrecondition, "\(site.slug) has no version to start from", rule: "no-version")
            }
            try generation.resume(after: record.job, with: JobID(at: now), at: now)
            try await stores.generations.save(generation, in: transaction)
            try await audit.record(
                .generationResumed, on: generation.id.text, of: site.id, for: principal,
                ["job": generation.job.text], at: now, in: transaction)
            let job = try await enqueue(generation, on: site, base: base, at: now, in: transaction)
            return try await self.view(generation, job: JobRecord(job: job), in: transaction)
        }
        await announce(view.job.job)
        logger.info(
            "Resumed generation", metadata: ["site.id": "\(view.generation.site)", "job.id": "\(view.generation.job)"])
        return view
    }

    // MARK: Parts

    /// Queues the newest job of `generation`. It has an edit of its own, so that queue, lease, version and list of
    /// requests are those of every other change.
    private func enqueue(
        _ generation: Generation, on site: Site, base: VersionNumber, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> Job {
        try await EngineSwitch(stores: stores).requireEnabled(generation.engine, in: transaction)
        try await BudgetGate(stores: stores).admit(generation.engine, to: site, at: now, in: transaction)
        let job = try await SiteLine(stores: stores).join(
            Job(id: generation.job, site: site.id, kind: .generate, createdAt: now), owner: site.owner, at: now,
            in: transaction)
        let edit = Edit(
            id: EditID(at: now), site: site.id, author: generation.author, prompt: try Prompt(generation.request),
            engine: generation.engine, base: base, job: job.id, createdAt: now)
        try await stores.edits.insert(edit, in: transaction)
        try await JobEvents(feed: feed).append(.jobQueued, job, owner: site.owner, at: now, in: transaction)
        try await GenerationEvents(feed: feed).append(
            generation, of: job, owner: site.owner, at: now, in: transaction)
        return job
    }

    private func announce(_ job: Job) async {
        if job.isActive { await ready.announce(job) }
        feed.announce()
    }

    private func find(
        _ reference: String, for principal: Principal, in transaction: any SQLTransaction
    ) async throws -> (site: Site, generation: Generation, job: JobRecord) {
        let site = try await access.find(reference, for: principal, in: transaction)
        guard let generation = try await stores.generations.find(site: site.id, in: transaction),
            let record = try await stores.jobs.find(generation.job, in: transaction)
        else {
            throw ServiceError(
                .notFound, "\(site.slug) was not made from a brief", rule: "no-generation",
                nextStep: "Change it with an edit.")
        }
        return (site, generation, record)
    }

    private func view(
        _ generation: Generation, job record: JobRecord, in transaction: any SQLTransaction
    ) async throws -> GenerationView {
        GenerationView(
            generation: generation, state: generation.state(of: record.job),
            job: try await JobViewer(stores: stores, workers: workers).view(record, in: transaction),
            steps: try await stores.generations.steps(of: generation.id, in: transaction))
    }

    /// The chosen slug, which the insert refuses when it is taken; otherwise the first proposal that is free.
    private func freeSlug(
        _ chosen: Slug?, for brief: SiteBrief, in transaction: any SQLTransaction
    ) async throws -> Slug {
        if let chosen { return chosen }
        for slug in Slug.proposals(for: brief.businessName, count: Self.proposals) {
            if try await stores.sites.find(slug: slug.text, in: transaction) == nil { return slug }
        }
        throw ServiceError(
            .alreadyExists, "every short name that fits \"\(brief.businessName)\" is taken", field: "slug",
            rule: "slug-taken", nextStep: "Choose a slug yourself.")
    }

    private func engine(named name: String?) throws(ServiceError) -> EngineName {
        if let name { return try EngineName(named: name) }
        return EngineName(rawValue: settings.defaultEngine) ?? .builtin
    }
}
