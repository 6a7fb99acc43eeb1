package import Database
package import Domain
import Faults
import FoundationEssentials
package import Logging
import Metrics
package import Persistence
package import Queue
import Telemetry

/// The moves of a job that workers and time cause, each in one transaction: grant, accept, hand back, renew, lose.
///
/// Lock order: the site's row first, then the job's. Every move that takes a lease from somebody raises the fence.
///
/// Each transaction touches one site and its jobs (renewals: those of one host) and holds off only others of that site:
/// ``SQLScope/only(_:)``. What else it decides on, such as whether the coordinator recovers, is written by transactions of
/// everything alone. Whose turn is next among users is read without a lock, and may be off by one.
package struct JobLedger: Sendable {
    private let database: any SQLDatabase
    /// For the moves that are short and many: those of different sites go together.
    private let grouped: GroupedDatabase
    private let stores: Stores
    private let ready: ReadyJobs
    private let feed: EventFeed
    private let ended: EndedAttempts
    private let settings: CoordinatorSettings
    private let desk: ModelDesk
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, grouped: GroupedDatabase, stores: Stores, ready: ReadyJobs, feed: EventFeed,
        ended: EndedAttempts,
        settings: CoordinatorSettings, sealer: KeySealer, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.grouped = grouped
        self.stores = stores
        self.ready = ready
        self.feed = feed
        self.ended = ended
        self.settings = settings
        desk = ModelDesk(stores: stores, sealer: sealer)
        self.clock = clock
        self.logger = logger
    }

    /// The jobs that wait for a worker with `label`, those first that are next; the queue is filled from these. None
    /// while the coordinator recovers.
    package func readyEntries(_ label: QueueLabel, limit: Int) async throws -> [QueueEntry] {
        guard let engine = EngineName(rawValue: label.text) else { return [] }
        return try await database.read { transaction in
            guard try await !stores.installation.isRecovering(in: transaction) else { return [] }
            return try await stores.jobs.ready(needing: engine, limit: limit, in: transaction).map {
                QueueEntry(job: $0.id, label: label, priority: $0.priority)
            }
        }
    }

    /// How many jobs are in each state.
    package func counts() async throws -> [Job.StateName: Int] {
        try await database.read { try await stores.jobs.counts(in: $0) }
    }

    /// Publishes how many jobs are in each state that is not an end, and how long those wait that are ready.
    func publishCounts() async throws {
        let (counts, ready) = try await database.read { transaction in
            (
                try await stores.jobs.openCounts(in: transaction),
                try await stores.jobs.readyByEngine(in: transaction)
            )
        }
        let metrics = MetricsSystem.factory
        for state in [Job.StateName.queued, .ready, .leased] {
            metrics.set(.jobs, to: counts[state, default: 0], state.rawValue)
        }
        let now = clock.now()
        for engine in EngineName.allCases + [.browser] {
            let line = ready.first { $0.engine == engine.rawValue }
            metrics.set(.readyJobs, to: line?.count ?? 0, engine.rawValue)
            let age = line.map { max(.zero, now - $0.oldest) } ?? .zero
            metrics.set(.queueOldestSeconds, to: Int(age.components.seconds), engine.rawValue)
        }
    }

    /// Gives `host` one attempt at a ready job; `nil` when it is not ready any more, or needs an engine that is not
    /// among `engines`. Then nothing was changed.
    package func grant(_ id: JobID, to host: HostID, able engines: Set<EngineName>) async throws -> JobOffer? {
        let now = clock.now()
        let began = ContinuousClock.now
        guard let siteID = try await sites(of: [id])[id] else { return nil }
        let granted = try await unlessGrantedElsewhere(.only([siteID.text])) { transaction in
            let known = try await transaction.answers(
                stores.jobs.find(id), stores.sites.find(siteID), stores.edits.find(job: id),
                stores.installation.isRecovering)
            guard let found = known.0, case .ready = found.job.state, var site = known.1, var edit = known.2,
                engines.contains(edit.engine), !known.3
            else { return nil }
            let fence = site.raiseFence()
            try await stores.sites.save(site, in: transaction)
            let shownBase = edit.isBaseChosen ? edit.base : site.preview ?? edit.base
            let (active, shownVersion, lastTries) = try await transaction.answers(
                stores.jobs.active(of: site.id), stores.versions.find(shownBase, of: site.id),
                stores.edits.lastVariants(in: edit.conversation, before: edit.id))
            guard let current = active.first(where: { $0.id == id }), case .ready = current.state else {
                // Somebody else granted it meanwhile. The fence that this one raised would make that lease stale.
                throw GrantedElsewhere()
            }
            var record = found
            record.job = current
            let others = active.filter { $0.id != id }
            guard record.job.fits(beside: others) else {
                throw ServiceError(.internalError, "\(id) is ready beside a job of its site that it does not fit")
            }
            if shownBase != edit.base {
                edit.base = shownBase
                try await stores.edits.rebase(edit.id, onto: shownBase, in: transaction)
            }
            guard let base = shownVersion else {
                throw ServiceError(.internalError, "the base version of \(id) is missing")
            }
            let assignment = try await desk.assignment(
                for: edit, of: &record, base: base.digest, at: now, in: transaction)
            let waited = now - record.job.updatedAt
            var generator = SystemRandomNumberGenerator()
            let lease = try record.job.grant(
                to: host, token: LeaseToken(using: &generator), fence: fence,
                until: now + settings.leaseDuration, at: now)
            try await stores.jobs.save(record, in: transaction)
            FaultPoint.beforeGrantCommit.reach()
            let offer = JobOffer(
                lease: lease, site: site.id, kind: record.job.kind, leaseDuration: settings.leaseDuration,
                base: base.digest, engine: edit.engine,
                prompt: assignment.prompt, limits: assignment.limits, model: assignment.model,
                replay: assignment.replay,
                conversation: Self.memory(of: edit, after: lastTries),
                continuation: edit.prompt.text,
                generation: try await task(of: record.job, in: transaction),
                lookPages: edit.isLook ? edit.plannedFiles.compactMap { try? SitePath($0) } : [])
            return Granted(offer: offer, waited: waited)
        }
        if let granted {
            FaultPoint.afterGrantCommit.reach()
            MetricsSystem.factory.increment(.leasesGranted)
            MetricsSystem.factory.observe(.grantSeconds, .now - began)
            MetricsSystem.factory.observe(.grantWaitSeconds, max(.zero, granted.waited))
            logger.info(
                "Leased job",
                metadata: [
                    "job.id": "\(id)", "host.id": "\(host)", "attempt": "\(granted.offer.lease.attempt)",
                    "fence": "\(granted.offer.lease.fence)",
                ])
        }
        return granted?.offer
    }

    /// What a generation's worker is told besides; `nil` for other kinds of jobs.
    private func task(of job: Job, in transaction: any SQLTransaction) async throws -> String? {
        guard job.kind == .generate else { return nil }
        guard let generation = try await stores.generations.find(site: job.site, in: transaction) else {
            throw ServiceError(.internalError, "the generation of \(job.id) is missing")
        }
        let steps = try await stores.generations.steps(of: generation.id, in: transaction).map(\.step)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(generation.task(with: steps)), as: UTF8.self)
    }

    /// Under which name an engine is to remember the talk that this edit belongs to; empty when it is told all of it. A
    /// plan, what is made of one, and tries side by side are told in full: a memory cannot have them all, and after tries
    /// a new one begins.
    private static func memory(of edit: Edit, after tries: EditID?) -> String {
        guard edit.mode == .change, edit.plan == nil, edit.variant == nil, let conversation = edit.conversation
        else { return "" }
        return tries.map { "\(conversation)_\($0)" } ?? conversation.text
    }

    private struct Granted: Sendable {
        let offer: JobOffer
        /// How long the job was ready before.
        let waited: Duration
    }

    private struct GrantedElsewhere: Error {}

    private func scope(of jobs: [JobID]) async throws -> SQLScope {
        .only(Set(try await sites(of: jobs).values.map(\.text)))
    }

    /// The sites of these jobs. A job that is not there has none, and the transaction does not find it either.
    private func sites(of jobs: [JobID]) async throws -> [JobID: SiteID] {
        var known = ready.sites.known(jobs)
        var rest = jobs.filter { known[$0] == nil }[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(500))
            rest = rest.dropFirst(500)
            let found = try await database.answer(stores.jobs.sites(of: some), isHint: true)
            ready.sites.note(found)
            known.merge(found) { old, _ in old }
        }
        return known
    }

    /// Rolls back, and returns `nil`, when another coordinator was faster.
    private func unlessGrantedElsewhere(
        _ scope: SQLScope, _ body: @Sendable (any SQLTransaction) async throws -> Granted?
    ) async throws -> Granted? {
        do {
            return try await grouped.withTransaction(on: scope, body)
        } catch is GrantedElsewhere {
            return nil
        }
    }

    /// The host took the offer. Returns whether the lease is still its own.
    ///
    /// - Parameter epoch: of the session that says so; throws ``SupersededSession`` when it is not the host's newest.
    func accept(_ lease: JobLease, from host: HostID, in epoch: Int64? = nil) async throws -> Bool {
        let now = clock.now()
        let accepted = try await move(lease, from: host, in: epoch, event: .jobStarted) { job in
            try job.accept(lease, until: now + settings.leaseDuration, at: now)
            try job.report(lease, step: "Starting", progress: 1, at: now)
        }
        FaultPoint.offerAccepted.reach()
        return accepted != nil
    }

    /// The host did not take the offer, or did not answer: no attempt is counted.
    /// It is offered again after `delay`.
    func handBack(_ lease: JobLease, from host: HostID, delay: Duration = .zero) async throws {
        let now = clock.now()
        if let job = try await move(lease, from: host, event: .jobProgress, { try $0.handBack(lease, at: now) }),
            case .ready = job.state
        {
            await ready.announce(job, delay: delay)
        }
    }

    /// Notes how far the host is. Stale reports have no effect.
    func report(_ lease: JobLease, step: String, percent: Int, from host: HostID) async throws {
        let now = clock.now()
        _ = try await move(lease, from: host, event: .jobProgress) {
            try $0.report(lease, step: String(step.prefix(200)), progress: percent, at: now)
        }
        FaultPoint.progressReceived.reach()
    }

    /// Adds to the log of the attempt, if it is still the host's, or ended by this host's result a moment ago.
    func appendLog(_ text: String, droppedBytes: Int64, lease: JobLease, from host: HostID) async throws {
        var piece = text
        if droppedBytes > 0 { piece = "[\(droppedBytes) bytes of the log were dropped here]\n" + piece }
        let entry = piece
        let hasJustEnded = ended.contains(lease, of: host, at: clock.now())
        try await database.withTransaction(on: try await scope(of: [lease.job])) { transaction in
            guard let record = try await stores.jobs.find(lease.job, in: transaction),
                hasJustEnded || (record.job.grant?.lease == lease && record.job.grant?.host == host)
            else { return }
            try await stores.jobs.appendLog(entry, to: lease.job, in: transaction)
        }
    }

    /// Moves the ends of leases that are still the host's; returns those, and those that are over.
    func renew(_ leases: [JobLease], from host: HostID) async throws -> (renewed: [JobLease], lost: [JobLease]) {
        guard !leases.isEmpty else { return ([], []) }
        let expiresAt = clock.now() + settings.leaseDuration
        let (renewed, lost) = try await database.withTransaction(on: try await scope(of: leases.map(\.job))) {
            transaction in
            var renewed: [JobLease] = []
            var lost: [JobLease] = []
            for lease in leases {
                if try await stores.jobs.renew(lease, until: expiresAt, in: transaction) {
                    renewed.append(lease)
                } else {
                    lost.append(lease)
                }
            }
            return (renewed, lost)
        }
        MetricsSystem.factory.increment(.leaseRenewals, by: renewed.count)
        if !lost.isEmpty { MetricsSystem.factory.increment(.staleWrites, by: lost.count, "renewal") }
        return (renewed, lost)
    }

    /// Jobs that `host` should be working on but says nothing of: it forgot them, so they get another attempt.
    func loseForgotten(by host: HostID, keeping leases: [JobLease]) async throws {
        let held = Set(leases)
        let jobs = try await database.read { try await stores.jobs.leased(to: host, in: $0) }
        for job in jobs {
            guard let lease = job.grant?.lease, !held.contains(lease) else { continue }
            try await lose(
                job.id, lease: lease,
                because: JobFailure(
                    kind: .infrastructure, code: "worker-restarted",
                    message: "The worker host was restarted while it worked on this."))
        }
    }

    /// All jobs that a host works on.
    func leased() async throws -> [Job] {
        try await database.read { try await stores.jobs.leased(in: $0) }
    }

    /// Takes a job from its host: the fence is raised, so the host is stale from this instant. `confirm` comes first in
    /// the transaction and throws when it must not be done after all. `admin` is who asked, when somebody did. Returns
    /// whether the job was the host's until now.
    @discardableResult
    func lose(
        _ id: JobID, lease: JobLease, because reason: JobFailure, for admin: Principal? = nil,
        confirming confirm: @Sendable (any SQLTransaction) async throws -> Void = { _ in }
    ) async throws -> Bool {
        let now = clock.now()
        let (job, next) = try await database.withTransaction(on: try await scope(of: [id])) {
            transaction -> (Job?, [Job]) in
            try await confirm(transaction)
            guard var record = try await stores.jobs.find(id, in: transaction), record.job.grant?.lease == lease,
                var site = try await stores.sites.find(record.job.site, in: transaction)
            else { return (nil, []) }
            _ = site.raiseFence()
            try await stores.sites.save(site, in: transaction)
            try record.job.lose(reason, at: now)
            try await stores.jobs.save(record, in: transaction)
            if let admin {
                try await AuditTrail(stores: stores).record(
                    .jobUnlocked, on: id.text, of: site.id, for: admin, ["attempt": String(lease.attempt)], at: now,
                    in: transaction)
            }
            try await AuditTrail(stores: stores).record(endOf: record.job, by: .system, at: now, in: transaction)
            try await JobEvents(feed: feed).append(
                record.job.isTerminal ? .jobFinished : .jobProgress, record.job, owner: site.owner, at: now,
                in: transaction)
            let next =
                record.job.isTerminal
                ? try await SiteLine(stores: stores).moveUp(site.id, at: now, in: transaction) : []
            return (record.job, next)
        }
        guard let job else { return false }
        MetricsSystem.factory.increment(.leasesLost, reason.code)
        feed.announce()
        if case .ready = job.state { await ready.announce(job) }
        for job in next { await ready.announce(job) }
        logger.warning(
            "Took job back from its host",
            metadata: [
                "job.id": "\(id)", "attempt": "\(lease.attempt)", "reason": "\(reason.code)",
                "state": "\(job.stateName.rawValue)",
            ])
        return true
    }

    /// Applies one move under a lease; `nil` when the lease is not (or not any more) the host's.
    private func move(
        _ lease: JobLease, from host: HostID, in epoch: Int64? = nil, event: Event.Kind,
        _ body: @Sendable (inout Job) throws -> Void
    ) async throws -> Job? {
        let now = clock.now()
        let (job, next) = try await grouped.withTransaction(on: try await scope(of: [lease.job])) {
            transaction -> (Job?, [Job]) in
            let (foundJob, foundSite, member) = try await transaction.answers(
                stores.jobs.find(lease.job), stores.sites.find(of: lease.job), stores.hosts.find(host))
            if let epoch { try SupersededSession.check(epoch, of: member) }
            guard var record = foundJob, record.job.grant?.host == host, record.job.grant?.lease == lease,
                let site = foundSite
            else { return (nil, []) }
            do {
                try body(&record.job)
            } catch is JobError {
                return (nil, [])
            }
            try await stores.jobs.save(record, in: transaction)
            try await AuditTrail(stores: stores).record(endOf: record.job, by: .host(host), at: now, in: transaction)
            try await JobEvents(feed: feed).append(
                record.job.isTerminal ? .jobFinished : event, record.job, owner: site.owner, at: now, in: transaction)
            // A job that was to be stopped ends when its host hands it back: the next one of the site may go on.
            let next =
                record.job.isTerminal
                ? try await SiteLine(stores: stores).moveUp(site.id, at: now, in: transaction) : []
            return (record.job, next)
        }
        if job != nil { feed.announce() } else { MetricsSystem.factory.increment(.staleWrites, "move") }
        for job in next { await ready.announce(job) }
        return job
    }
}
