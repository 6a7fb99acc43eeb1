package import Database
package import Domain
package import Logging
package import Persistence

/// Shows jobs, stops them and tries them again.
package struct JobService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let ready: ReadyJobs
    private let workers: WorkerPool
    private let edits: EditService
    private let generations: GenerationService
    private let ledger: JobLedger
    private let feed: EventFeed
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, ready: ReadyJobs, workers: WorkerPool, edits: EditService,
        generations: GenerationService,
        ledger: JobLedger, feed: EventFeed, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.ready = ready
        self.workers = workers
        self.edits = edits
        self.generations = generations
        self.ledger = ledger
        self.feed = feed
        self.clock = clock
        self.logger = logger
    }

    private var access: SiteAccess { SiteAccess(stores: stores) }
    private var viewer: JobViewer { JobViewer(stores: stores, workers: workers) }

    package func find(_ id: JobID, for principal: Principal) async throws -> JobView {
        try await database.read { transaction in
            try await viewer.view(try await find(id, for: principal, in: transaction).record, in: transaction)
        }
    }

    /// Newest first. `state` is one of the words of ``Job/StateName``.
    package func list(
        site reference: String?, state: String?, page: PageRequest, for principal: Principal
    ) async throws -> Page<JobView> {
        let stateName = try state.map { word in
            guard let name = Job.StateName(rawValue: word) else {
                throw ServiceError(
                    .invalidArgument, "there is no job state \"\(word.prefix(40))\"", field: "state", rule: "job-state",
                    nextStep: "Use one of: " + Job.StateName.allCases.map(\.rawValue).joined(separator: ", ") + ".")
            }
            return name
        }
        return try await database.read { transaction in
            var site: SiteID?
            if let reference { site = try await access.find(reference, for: principal, in: transaction).id }
            let records = try await stores.jobs.list(
                owner: principal.isAdmin ? nil : principal.user, site: site, state: stateName, page: page,
                in: transaction)
            var views: [JobView] = []
            for record in records.items { views.append(try await viewer.view(record, in: transaction)) }
            return Page(items: views, nextCursor: records.nextCursor)
        }
    }

    /// What the attempts printed.
    package func log(_ id: JobID, for principal: Principal) async throws -> String {
        try await database.read { transaction in
            _ = try await find(id, for: principal, in: transaction)
            return try await stores.jobs.log(of: id, in: transaction)
        }
    }

    /// What was printed behind piece `number` of the log (0 is its beginning), and the number of the last piece: ask
    /// with that next time, and nothing is missed and nothing comes twice.
    package func log(
        _ id: JobID, after number: Int64, for principal: Principal
    ) async throws -> (text: String, last: Int64) {
        try await database.read { transaction in
            _ = try await find(id, for: principal, in: transaction)
            return try await stores.jobs.log(of: id, after: max(0, number), limit: 2000, in: transaction)
        }
    }

    /// How many jobs there are in each state. For admins.
    package func counts(for principal: Principal) async throws -> [Job.StateName: Int] {
        try principal.requireAdmin()
        return try await database.read { try await stores.jobs.counts(in: $0) }
    }

    /// Stops a job: at once while it waits; when a host works on it, as soon as the host has killed it.
    package func cancel(
        _ id: JobID, for principal: Principal, once: Once<JobView> = .unkeyed
    ) async throws -> JobView {
        let now = clock.now()
        let (view, next) = try await database.withTransaction(once.from { $0.view }) {
            transaction -> (view: JobView, next: [Job]) in
            let (site, found) = try await find(id, for: principal, in: transaction)
            var record = found
            do {
                try record.job.cancel(at: now)
            } catch {
                throw ServiceError(
                    .conflict, "the job is \(record.job.stateName.rawValue) already", rule: "job-state", cause: error)
            }
            try await stores.jobs.save(record, in: transaction)
            var next: [Job] = []
            if record.job.isTerminal {
                try await AuditTrail(stores: stores).record(
                    endOf: record.job, by: .user(principal.user), requestID: principal.requestID, at: now,
                    in: transaction)
                try await JobEvents(feed: feed).append(
                    .jobFinished, record.job, owner: site.owner, at: now, in: transaction)
                next = try await SiteLine(stores: stores).moveUp(site.id, at: now, in: transaction)
            } else {
                if found.job.cancelRequestedAt == nil {
                    try await AuditTrail(stores: stores).record(
                        .jobCancelRequested, on: id.text, of: site.id, for: principal,
                        ["attempt": String(record.job.attempt)], at: now, in: transaction)
                }
                try await JobEvents(feed: feed).append(
                    .jobProgress, record.job, owner: site.owner, at: now, in: transaction)
            }
            return (view: try await viewer.view(record, in: transaction), next: next)
        }
        if let grant = view.job.grant { workers.tell(.cancel(grant.lease), to: grant.host) }
        await ready.withdraw(id)
        for job in next { await ready.announce(job) }
        feed.announce()
        logger.notice("Cancelled job", metadata: ["job.id": "\(id)"])
        return view
    }

    /// Takes a job from its host, as if the host had fallen silent: the site's fence is raised, and the job gets another
    /// attempt. For admins, when a host that cannot be reached holds up a site.
    package func unlock(_ id: JobID, for principal: Principal) async throws -> JobView {
        try principal.requireAdmin()
        let record = try await database.read { try await find(id, for: principal, in: $0).record }
        let refusal = ServiceError(
            .conflict, "no host works on this job", rule: "job-state",
            nextStep: "Look why it waits with: pagewright why \(id).")
        guard let grant = record.job.grant else { throw refusal }
        let reason = JobFailure(
            kind: .infrastructure, code: "unlocked", message: "An admin took the work from its host.")
        guard try await ledger.lose(id, lease: grant.lease, because: reason, for: principal) else { throw refusal }
        workers.tell(.leaseLost(grant.lease), to: grant.host)
        logger.notice("Unlocked job", metadata: ["job.id": "\(id)", "host.id": "\(grant.host)"])
        return try await find(id, for: principal)
    }

    /// Makes a new job with the request of one that ended without success.
    package func retry(
        _ id: JobID, for principal: Principal, once: Once<JobView> = .unkeyed
    ) async throws -> JobView {
        let (site, kind, edit) = try await database.read { transaction in
            let (site, record) = try await find(id, for: principal, in: transaction)
            guard record.job.isTerminal else {
                throw ServiceError(
                    .conflict, "the job is not over yet", rule: "job-state", nextStep: "Cancel it first.")
            }
            if case .succeeded = record.job.state {
                throw ServiceError(.conflict, "the job succeeded already", rule: "job-state")
            }
            guard let edit = try await stores.edits.find(job: id, in: transaction) else {
                throw ServiceError(.notFound, "the request of this job is gone")
            }
            return (site, record.job.kind, edit)
        }
        if kind == .generate {
            // It goes on with what was done.
            return try await generations.resume(site.id.text, for: principal, once: once.from { $0.job }).job
        }
        if edit.isLook {
            throw ServiceError(
                .conflict, "pictures are asked for anew, not again", rule: "job-state",
                nextStep: "Ask with: pagewright checks \(site.slug) \(edit.base) --take.")
        }
        if let original = edit.replayOf { return try await edits.replay(original, for: principal, once: once) }
        return try await edits.repeat(edit, of: site, for: principal, once: once.from { $0.job }).job
    }

    private func find(
        _ id: JobID, for principal: Principal, in transaction: any SQLTransaction
    ) async throws -> (site: Site, record: JobRecord) {
        guard let record = try await stores.jobs.find(id, in: transaction),
            let site = try await stores.sites.find(record.job.site, in: transaction),
            site.owner == principal.user || principal.isAdmin
        else { throw ServiceError(.notFound, "there is no job \(id)", field: "job") }
        return (site, record)
    }
}
