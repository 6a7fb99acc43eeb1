package import Database
package import Domain
import FoundationEssentials
package import Logging
package import Persistence

/// What workers say of generations: which steps are done, and with what. Nothing of it is believed but what a plan may
/// be; pages are checked like those of any other version.
package struct GenerationLedger: Sendable {
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

    /// Notes a step while the work goes on, if the lease is the host's still.
    func note(_ step: GenerationStep, under lease: JobLease, from host: HostID) async throws {
        let now = clock.now()
        let isNoted = try await database.withTransaction { transaction -> Bool in
            // The site's row first: the order of locks everywhere.
            guard let found = try await stores.jobs.find(lease.job, in: transaction), found.job.kind == .generate,
                let site = try await stores.sites.find(found.job.site, in: transaction)
            else { return false }
            try await stores.sites.save(site, in: transaction)
            guard let record = try await stores.jobs.find(lease.job, in: transaction),
                site.admits(lease, of: host, on: record.job)
            else { return false }
            try await note([step], of: site, by: record.job, at: now, in: transaction)
            return true
        }
        if isNoted { feed.announce() }
    }

    /// Notes what a completion says, in the transaction that accepts it. The caller holds the site's row.
    func note(
        _ completion: JobCompletion, of site: Site, by job: Job, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        guard job.kind == .generate else { return }
        try await note(completion.steps, of: site, by: job, at: now, in: transaction)
    }

    private func note(
        _ steps: [GenerationStep], of site: Site, by job: Job, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        guard var generation = try await stores.generations.find(site: site.id, in: transaction),
            generation.job == job.id
        else { return }
        let known = try await stores.generations.steps(of: generation.id, in: transaction)
        var keys = Set(known.map(\.step.key))
        let old = Dictionary(known.map { ($0.step.key, $0) }, uniquingKeysWith: { $1 })
        for step in steps where keys.count < GenerationStep.countLimit || keys.contains(step.key) {
            keys.insert(step.key)
            // Said while the work went on, and now again.
            if let before = old[step.key], before.job == job.id, before.step == step { continue }
            try await stores.generations.note(step, of: generation.id, by: job.id, at: now, in: transaction)
        }
        let proposed = steps.last { $0.name == .plan }.flatMap { Self.plan(in: $0.output) }
        generation.note(Array(keys), plan: proposed, at: now)
        if case .succeeded = job.state { generation.finish(at: now) }
        try await stores.generations.save(generation, in: transaction)
        try await GenerationEvents(feed: feed).append(generation, of: job, owner: site.owner, at: now, in: transaction)
    }

    /// A plan that the domain takes; a worker that sends another one has none.
    static func plan(in text: String) -> Sitemap? {
        try? JSONDecoder().decode(Sitemap.self, from: Data(text.utf8))
    }
}

/// Writes the events of generations.
struct GenerationEvents: Sendable {
    let feed: EventFeed

    func append(
        _ generation: Generation, of job: Job, owner: UserID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await feed.append(
            .generationUpdated, owner: owner, site: generation.site,
            body: [
                "generation_id": EventValue(generation.id), "site_id": EventValue(generation.site),
                "job_id": EventValue(generation.job), "state": .text(generation.state(of: job).rawValue),
                "progress": EventValue(generation.progress),
            ], at: now, in: transaction)
    }
}
