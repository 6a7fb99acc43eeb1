package import Database
package import Domain
package import Logging
import Metrics
package import Persistence
import ServiceLifecycle
import Telemetry

/// Gives jobs another attempt when their host went silent, and ends cancelled jobs whose host does not confirm. Only
/// the steward does.
///
/// A lease is over when its row stood still for the whole time that it lasts and the grace, by this coordinator's monotonic
/// clock (``LeaseWatch``): what any clock of the day says ends nothing. For a while every lease counts as longer when nobody
/// could renew it: after a start, when this coordinator became the steward, when the database was away, when this process
/// stood still, and when all of its sessions broke at once. When many leases would expire together, none does, and an
/// operator is asked.
package struct LeaseReaper: Service {
    private static let interval = Duration.seconds(1)
    /// Rounds that lie so far apart say that this process, or its machine, stood still.
    private static let standstill = Duration.seconds(10)

    private let database: any SQLDatabase
    private let stores: Stores
    private let ledger: JobLedger
    private let workers: WorkerPool
    private let registry: SessionRegistry
    private let stewardship: Stewardship
    private let recovery: RecoveryService
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, ledger: JobLedger, workers: WorkerPool, registry: SessionRegistry,
        stewardship: Stewardship, recovery: RecoveryService, settings: CoordinatorSettings, clock: any WallClock,
        logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.ledger = ledger
        self.workers = workers
        self.registry = registry
        self.stewardship = stewardship
        self.recovery = recovery
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    /// What one round leaves for the next.
    struct Memory: Sendable {
        var pause: ExpiryPause
        var watch = LeaseWatch<ContinuousClock.Instant>()
        var brake = ExpiryBrake()
        var term: Term?
        var hadSessions = false
        /// Since the round before renewals could not have been seen.
        var isBlind = false
    }

    func makeMemory(at now: ContinuousClock.Instant) -> Memory {
        var memory = Memory(pause: ExpiryPause(length: settings.leaseGraceAfterStart))
        memory.pause.begin(at: now)
        return memory
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var memory = makeMemory(at: .now)
            while !Task.isCancelled {
                let before = ContinuousClock.now
                // Ends early when cancelled.
                try? await Task.sleep(for: Self.interval)
                if ContinuousClock.now - before > Self.standstill { memory.isBlind = true }
                do {
                    try await round(&memory, at: .now)
                } catch is CancellationError {
                    break
                } catch {
                    memory.isBlind = true
                    logger.error("Could not look for expired leases", metadata: ["error": "\(error)"])
                }
            }
        }
        await stewardship.resign()
    }

    /// Looks once at all leases.
    func round(_ memory: inout Memory, at now: ContinuousClock.Instant) async throws {
        let hasSessions = registry.count > 0
        defer { memory.hadSessions = hasSessions }
        if memory.hadSessions, !hasSessions { memory.pause.begin(at: now) }
        guard let term = try await stewardship.hold() else {
            memory.term = nil
            return
        }
        guard !recovery.isActive else {
            memory.isBlind = true
            return
        }
        if memory.term != term || memory.isBlind {
            memory.pause.begin(at: now)
            memory.watch.forget()
            memory.term = term
            memory.isBlind = false
        }
        let leased = try await ledger.leased()
        try await takeBackSuperseded(leased, under: term)
        let overdue = memory.watch.overdue(
            among: leased, at: now,
            patience: settings.leaseDuration + settings.leaseGrace + memory.pause.extraGrace(at: now),
            cancelTimeout: settings.cancelTimeout)
        let expired = overdue.filter { $0.reason.code == JobFailure.expiryCode }
        let isHeld = try await hold(expired.count, of: leased.count, under: term, &memory, at: now)
        for (job, reason) in overdue {
            let isExpiry = reason.code == JobFailure.expiryCode
            guard let grant = job.grant, !(isExpiry && isHeld) else { continue }
            try await ledger.lose(job.id, lease: grant.lease, because: reason) { transaction in
                try await stewardship.confirm(term, in: transaction)
            }
            if isExpiry { memory.brake.noteExpiry(at: now) }
            workers.tell(.leaseLost(grant.lease), to: grant.host)
        }
    }

    /// Leases of a life of the database that is over: the fences of all sites are above theirs, so no result of theirs
    /// could be taken, and waiting for their expiry would only cost time.
    private func takeBackSuperseded(_ leased: [Job], under term: Term) async throws {
        guard !leased.isEmpty else { return }
        let life = try await database.read { try await stores.installation.find(in: $0).incarnation }
        for job in leased {
            guard let grant = job.grant, grant.lease.fence < life.lowestFence else { continue }
            try await ledger.lose(job.id, lease: grant.lease, because: .superseded) { transaction in
                try await stewardship.confirm(term, in: transaction)
            }
            workers.tell(.leaseLost(grant.lease), to: grant.host)
        }
    }

    /// Whether expiries are to be held back; puts the brake on or takes it off.
    private func hold(
        _ overdue: Int, of live: Int, under term: Term, _ memory: inout Memory, at now: ContinuousClock.Instant
    ) async throws -> Bool {
        let isTooMany = memory.brake.refuses(overdue: overdue, live: live, at: now)
        let engaged = try await database.read { try await stores.brakes.find(ExpiryBrake.name, in: $0) }
        guard isTooMany else {
            if engaged != nil, overdue == 0 { try await clear(under: term) }
            // Until the last of them came back or was let go, the brake stays on.
            return engaged.map { !isReleased($0) } ?? false
        }
        if let engaged { return !isReleased(engaged) }
        let detail = "\(overdue) of \(live) leases would expire at once."
        let instant = clock.now()
        try await database.withTransaction { transaction in
            try await stewardship.confirm(term, in: transaction)
            guard try await stores.brakes.engage(ExpiryBrake.name, detail: detail, at: instant, in: transaction) else {
                return
            }
            try await AuditTrail(stores: stores).record(
                .brakeEngaged, on: ExpiryBrake.name, by: .system, ["overdue": String(overdue), "leases": String(live)],
                at: instant, in: transaction)
        }
        MetricsSystem.factory.set(.brakesEngaged, to: 1, ExpiryBrake.name)
        logger.error(
            "Held back the expiry of many leases at once; look at the network, then release the brake or wait",
            metadata: ["overdue": "\(overdue)", "leases": "\(live)"])
        return true
    }

    private func isReleased(_ brake: EngagedBrake) -> Bool {
        guard let releasedAt = brake.releasedAt else { return false }
        return clock.now() - releasedAt < ExpiryBrake.releaseLifetime
    }

    private func clear(under term: Term) async throws {
        let instant = clock.now()
        try await database.withTransaction { transaction in
            try await stewardship.confirm(term, in: transaction)
            guard try await stores.brakes.clear(ExpiryBrake.name, in: transaction) else { return }
            try await AuditTrail(stores: stores).record(
                .brakeCleared, on: ExpiryBrake.name, by: .system, at: instant, in: transaction)
        }
        MetricsSystem.factory.set(.brakesEngaged, to: 0, ExpiryBrake.name)
        logger.notice("Took the brake on the expiry of leases off")
    }
}
