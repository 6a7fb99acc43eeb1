import BlockingIO
package import Database
import Domain
package import FleetIdentity
package import Logging
package import Persistence
package import Queue
import ServiceLifecycle
import Synchronization

/// Sees what other coordinators did: new events, new generations, hosts that were drained, revoked or opened a session
/// elsewhere, jobs that are to be stopped. Signals say when to look; what is true is read from the database, and that
/// is looked at every second without any signal, so a lost one costs a second or two.
package final class Lookout: Service {
    private struct Memory {
        var latestEvent: Int64?
        /// By host, a number that changes with what it has to apply.
        var pending: [HostID: Int64] = [:]
        /// Leases whose host was told to stop.
        var told: Set<JobLease> = []
        var isBlind = false
        var presenceNotedAt: ContinuousClock.Instant?
    }

    private static let interval = Duration.seconds(1)
    private static let presenceInterval = Duration.seconds(15)

    private let database: any SQLDatabase
    private let stores: Stores
    private let bus: any CoordinatorBus
    private let feed: EventFeed
    private let desiredState: DesiredState
    private let registry: SessionRegistry
    private let calls: OpenCalls
    private let workers: WorkerPool
    private let authority: CertificateAuthority
    private let logger: Logger
    private let memory = Mutex(Memory())
    private let files = BlockingPool(label: "pagewright.authority", width: 1)

    package init(
        database: any SQLDatabase, stores: Stores, bus: any CoordinatorBus, feed: EventFeed,
        desiredState: DesiredState, registry: SessionRegistry, calls: OpenCalls, workers: WorkerPool,
        authority: CertificateAuthority, logger: Logger
    ) {
        self.authority = authority
        self.database = database
        self.stores = stores
        self.bus = bus
        self.feed = feed
        self.desiredState = desiredState
        self.registry = registry
        self.calls = calls
        self.workers = workers
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.listen() }
                group.addTask { await self.lookForever() }
            }
        }
    }

    private func listen() async {
        for await signal in bus.signals() {
            await seeing {
                switch signal {
                case .events: feed.wake()
                case .desiredState: desiredState.wake()
                case .host:
                    try await lookAtSessions()
                    try await lookAtCalls()
                case .leases(let host): try await lookAtLeases(of: [host])
                case .missed:
                    feed.wake()
                    desiredState.wake()
                    try await lookAtSessions()
                    try await lookAtLeases(of: registry.hosts)
                }
            }
        }
    }

    private func lookForever() async {
        while !Task.isCancelled {
            // Ends early when cancelled.
            try? await Task.sleep(for: Self.interval)
            await seeing {
                // Somebody may have rotated it, with the command beside this program. Three small files.
                if try await files.run({ [authority] in try authority.reload() }) {
                    logger.notice("The fleet's authority was rotated one step")
                }
                try await lookAtEvents()
                try await lookAtCalls()
                guard !registry.hosts.isEmpty else { return }
                try await notePresence()
                try await lookAtPlacements()
                try await lookAtSessions()
                try await lookAtCancellations()
            }
        }
    }

    /// Runs one look. That the database cannot be read is said once, not every second.
    private func seeing(_ look: () async throws -> Void) async {
        do {
            try await look()
            memory.withLock { $0.isBlind = false }
        } catch {
            guard !(error is CancellationError), !Task.isCancelled else { return }
            let wasBlind = memory.withLock { memory in
                defer { memory.isBlind = true }
                return memory.isBlind
            }
            if !wasBlind {
                logger.error("Could not look for what other coordinators did", metadata: ["error": "\(error)"])
            }
        }
    }

    private func lookAtEvents() async throws {
        let latest = try await database.read { try await stores.events.latestID(in: $0) }
        let isNew = memory.withLock { memory in
            defer { memory.latestEvent = latest }
            return memory.latestEvent != latest
        }
        if isNew { feed.wake() }
    }

    private func lookAtPlacements() async throws {
        let pending = try await database.read { try await stores.placements.pendingSums(in: $0) }
        let changed = memory.withLock { memory in
            defer { memory.pending = pending }
            return Set(pending.filter { memory.pending[$0.key] != $0.value }.keys)
        }
        if !changed.isEmpty { desiredState.wake(changed) }
    }

    /// Writes down every 15 s who is here, so that every coordinator knows since when a host is away.
    private func notePresence() async throws {
        let isDue = memory.withLock { memory in
            guard memory.presenceNotedAt.map({ $0.duration(to: .now) >= Self.presenceInterval }) ?? true else {
                return false
            }
            memory.presenceNotedAt = .now
            return true
        }
        guard isDue else { return }
        let hosts = registry.hosts
        let now = SystemClock().now()
        try await database.withTransaction { try await stores.hosts.touch(hosts, at: now, in: $0) }
    }

    /// Ends what hosts have open besides their sessions when they were revoked; nothing is asked while nothing is open.
    private func lookAtCalls() async throws {
        let hosts = calls.hosts
        guard !hosts.isEmpty else { return }
        let facts = try await database.read { try await stores.hosts.sessionFacts(in: $0) }
        for host in hosts where facts[host]?.state.isShutOut ?? true { calls.end(host) }
    }

    /// Ends sessions that are not their host's newest any more, or whose host was revoked.
    private func lookAtSessions() async throws {
        let sessions = registry.epochs
        guard !sessions.isEmpty else { return }
        let facts = try await database.read { try await stores.hosts.sessionFacts(in: $0) }
        for (host, epoch) in sessions {
            guard let fact = facts[host], !fact.state.isShutOut else {
                registry.close(host, epoch: epoch, reason: "the host was revoked")
                continue
            }
            if let order = fact.upgradeOrder { registry.tell(host, epoch: epoch, .upgrade(order), once: order.id) }
            if !fact.certificateIssuer.isEmpty, fact.certificateIssuer != authority.issuerPin.text {
                registry.tell(host, epoch: epoch, .renewCertificate, once: authority.issuerPin.text)
            }
            if fact.epoch > epoch {
                registry.close(host, epoch: epoch, reason: "a newer session of this host was opened")
            }
            workers.setDraining(fact.state != .active, of: host)
        }
    }

    /// Tells workers here to stop what somebody asked to stop elsewhere.
    private func lookAtCancellations() async throws {
        let jobs = try await database.read { try await stores.jobs.cancelRequested(in: $0) }
        let current = Set(jobs.compactMap { $0.grant?.lease })
        memory.withLock { $0.told.formIntersection(current) }
        for job in jobs {
            guard let grant = job.grant, !memory.withLock({ $0.told.contains(grant.lease) }),
                workers.send(.cancel(grant.lease), to: grant.host)
            else { continue }
            memory.withLock { _ = $0.told.insert(grant.lease) }
        }
    }

    /// Tells workers here what was taken from them elsewhere, and what to stop.
    private func lookAtLeases(of hosts: Set<HostID>) async throws {
        for host in hosts {
            let held = workers.held(by: host)
            guard !held.isEmpty else { continue }
            let jobs = try await database.read { try await stores.jobs.leased(to: host, in: $0) }
            let current = Set(jobs.compactMap { $0.grant?.lease })
            for lease in held where !current.contains(lease) {
                _ = workers.send(.leaseLost(lease), to: host)
                workers.noteEnd(of: lease, by: host)
            }
        }
        try await lookAtCancellations()
    }
}
