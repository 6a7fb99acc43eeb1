package import Database
package import Domain
package import FleetIdentity
package import Logging
package import Persistence

/// Serves the sessions of agents: what they say becomes moves of jobs and sites, what is decided is said to them.
package final class AgentSessions: Sendable {
    private static let outboxLimit = 256
    /// Frames that agents of the version before do not send, and coordinators of the version before do not take.
    private static let features: Set = ["condition"]

    private let database: any SQLDatabase
    private let stores: Stores
    private let registry: SessionRegistry
    private let workers: WorkerPool
    private let dispatcher: JobDispatcher
    private let ledger: JobLedger
    private let generations: GenerationLedger
    private let completions: JobCompletions
    private let desiredState: DesiredState
    private let recovery: RecoveryService
    private let signer: VersionSigner
    private let feed: EventFeed
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, registry: SessionRegistry, workers: WorkerPool,
        dispatcher: JobDispatcher, ledger: JobLedger, generations: GenerationLedger,
        completions: JobCompletions, desiredState: DesiredState,
        recovery: RecoveryService,
        signer: VersionSigner, feed: EventFeed, settings: CoordinatorSettings, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.registry = registry
        self.workers = workers
        self.dispatcher = dispatcher
        self.ledger = ledger
        self.generations = generations
        self.completions = completions
        self.desiredState = desiredState
        self.recovery = recovery
        self.signer = signer
        self.feed = feed
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    /// Serves one session until either side ends it, the host falls silent for three heartbeats, is revoked, or opens
    /// a newer session. `send` writes one frame to the agent and returns when it is on its way.
    package func serve<Frames: AsyncSequence & Sendable>(
        _ host: HostID, incoming: Frames, send: @escaping @Sendable (CoordinatorMessage) async throws -> Void
    ) async throws where Frames.Element == AgentMessage, Frames.Failure == any Error {
        let outbox = SessionOutbox(limit: Self.outboxLimit)
        let liveness = SessionLiveness(silenceLimit: settings.heartbeatInterval * 3)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // The first of these to end ends the session.
            group.addTask { try await outbox.drain(into: send) }
            group.addTask { try await liveness.waitForSilence() }
            group.addTask { try await self.converse(host, incoming: incoming, outbox: outbox, liveness: liveness) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func converse<Frames: AsyncSequence & Sendable>(
        _ host: HostID, incoming: Frames, outbox: SessionOutbox, liveness: SessionLiveness
    ) async throws where Frames.Element == AgentMessage, Frames.Failure == any Error {
        var frames = incoming.makeAsyncIterator()
        guard let first = try await frames.next() else { return }
        guard case .hello(let hello) = first else {
            throw ServiceError(.invalidArgument, "a session begins with a hello", field: "hello", rule: "session-hello")
        }
        let opened = try await PassingTask.run {
            try await self.open(host, hello: hello, outbox: outbox, liveness: liveness)
        }
        let epoch = opened.session.epoch
        defer {
            registry.remove(host, epoch: epoch)
            workers.remove(host, epoch: epoch)
        }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if hello.roles.contains(.serving), !recovery.isActive {
                    let changes = desiredState.changes(of: host)
                    try await PassingTask.run { try await self.desiredState.compare(hello.inventory, of: host) }
                    group.addTask { try await opened.session.pushDesiredState(waking: changes) }
                }
                defer { group.cancelAll() }
                while let message = try await frames.next() {
                    try await PassingTask.run { try await opened.session.receive(message) }
                }
            }
        } catch {
            logger.info("Closed session", metadata: ["host.id": "\(host)", "error": "\(error)"])
            registry.remove(host, epoch: epoch)
            try await announceClosed(host, epoch: epoch)
            throw error
        }
        logger.info("Closed session", metadata: ["host.id": "\(host)", "session.epoch": "\(epoch)"])
        registry.remove(host, epoch: epoch)
        try await announceClosed(host, epoch: epoch)
    }

    /// A session that both sides know of. Its parts are many; whoever holds it holds one reference.
    private final class Opened: Sendable {
        let session: AgentSession

        init(_ session: AgentSession) { self.session = session }
    }

    /// Makes a session of a hello: tells the agent, everybody, and what becomes of the leases that it held.
    private func open(
        _ host: HostID, hello: AgentMessage.Hello, outbox: SessionOutbox, liveness: SessionLiveness
    ) async throws -> Opened {
        let (epoch, isDraining) = try await begin(host, hello: hello)
        try await recovery.inspect(hello, of: host)
        registry.add(host, epoch: epoch) {
            outbox.send($0)
        } close: { reason, delay in
            outbox.send(.goAway(reason: reason, delay: delay))
            outbox.close()
        }
        do {
            return try await welcome(
                host, hello: hello, epoch: epoch, isDraining: isDraining, outbox: outbox, liveness: liveness)
        } catch {
            registry.remove(host, epoch: epoch)
            workers.remove(host, epoch: epoch)
            throw error
        }
    }

    private func welcome(
        _ host: HostID, hello: AgentMessage.Hello, epoch: Int64, isDraining: Bool, outbox: SessionOutbox,
        liveness: SessionLiveness
    ) async throws -> Opened {
        var welcome = CoordinatorMessage.Welcome(
            sessionEpoch: epoch, heartbeatInterval: settings.heartbeatInterval,
            leaseDuration: settings.leaseDuration, coordinatorVersion: settings.version,
            versionKeys: [signer.publicKey])
        welcome.features = Self.features
        outbox.send(.welcome(welcome))
        let session = AgentSession(
            host: host, epoch: epoch, outbox: outbox, liveness: liveness, registry: registry, workers: workers,
            dispatcher: dispatcher, ledger: ledger, generations: generations, completions: completions,
            desiredState: desiredState, recovery: recovery,
            words: HostWords(database: database, stores: stores, logger: logger),
            isNewest: { try await self.isNewest(host, epoch: epoch) },
            reasonToGo: { await self.reasonToGo(host) },
            logger: logger)
        let (renewed, lost) = try await ledger.renew(hello.leases, from: host)
        outbox.send(.renewed(renewed))
        for lease in lost { outbox.send(.leaseLost(lease)) }
        // In recovery nothing is taken back: what a host says that it has may be newer than the database.
        if !recovery.isActive { try await ledger.loseForgotten(by: host, keeping: renewed) }
        if hello.roles.contains(.worker) {
            workers.add(
                WorkerPool.Worker(
                    host: host, epoch: epoch, engines: hello.engines, slots: 0, isDraining: isDraining,
                    held: Set(renewed),
                    send: { outbox.send($0) }))
        }
        try await announce(host, epoch: epoch, isConnected: true)
        logger.notice("Opened session", metadata: ["host.id": "\(host)", "session.epoch": "\(epoch)"])
        return Opened(session)
    }

    /// Makes this the host's newest session.
    private func begin(_ id: HostID, hello: AgentMessage.Hello) async throws -> (epoch: Int64, isDraining: Bool) {
        let now = clock.now()
        // The host's row only: a thousand agents that come back at once do not wait for each other.
        let (host, isCloned) = try await database.withTransaction(on: .only([id.text])) { transaction in
            guard var host = try await stores.hosts.find(id, in: transaction), !host.state.isShutOut else {
                throw ServiceError(.unauthenticated, "the host \(id) is not a member", rule: "host-unknown")
            }
            guard hello.roles.isSubset(of: host.roles) else {
                throw ServiceError(
                    .permissionDenied, "\(host.name) was not invited for these roles", field: "roles",
                    rule: "host-roles")
            }
            // A program that does not name itself is told from others by the boot of its machine.
            let instance = hello.instance.isEmpty ? hello.bootID : hello.instance
            let isCloned = host.openSession(agentVersion: hello.agentVersion, instance: instance, at: now)
            try await stores.hosts.save(host, in: transaction)
            if isCloned {
                try await AuditTrail(stores: stores).record(
                    .hostQuarantined, on: id.text, by: .system, ["name": host.name], at: now, in: transaction)
                try await feed.append(
                    .hostChanged, owner: nil, site: nil,
                    body: [
                        "host_id": EventValue(id), "state": .text(host.state.rawValue), "connected": .boolean(false),
                    ], at: now, in: transaction)
            }
            return (host, isCloned)
        }
        if isCloned {
            feed.announce()
            registry.close(id, reason: "two machines use the certificate of this host")
            registry.announce(id)
            logger.critical(
                "Two machines use one certificate; the host is quarantined",
                metadata: ["host.id": "\(id)", "host.name": "\(host.name)"])
            throw ServiceError(
                .unauthenticated, "two machines use the certificate of \(host.name); neither may go on",
                rule: "host-quarantined",
                nextStep: "Revoke the host and invite the right machine again, or resume it if both were one machine.")
        }
        return (host.sessionEpoch, host.state == .draining)
    }

    private func isNewest(_ id: HostID, epoch: Int64) async throws -> Bool {
        try await database.answer(stores.hosts.find(id), isHint: true)?.admits(frameOf: epoch) ?? false
    }

    private func reasonToGo(_ id: HostID) async -> String {
        let host = (try? await database.answer(stores.hosts.find(id), isHint: true)) ?? nil
        return switch host?.state {
        case .revoked, nil: "the host was revoked"
        case .quarantined: "two machines use the certificate of this host"
        default: "a newer session of this host was opened"
        }
    }

    private func announceClosed(_ host: HostID, epoch: Int64) async throws {
        // The task may be cancelled already; that the host is gone is to be said all the same.
        try await Task {
            try await self.announce(host, epoch: epoch, isConnected: self.registry.isConnected(host))
        }.value
    }

    /// Says that a host came or went; that it went only when it has no newer session, here or elsewhere.
    private func announce(_ id: HostID, epoch: Int64, isConnected: Bool) async throws {
        let now = clock.now()
        try await database.withTransaction(on: .only([id.text])) { transaction in
            guard var host = try await stores.hosts.find(id, in: transaction),
                isConnected || host.sessionEpoch == epoch
            else { return }
            host.lastSeenAt = now
            try await stores.hosts.save(host, in: transaction)
            try await feed.append(
                .hostChanged, owner: nil, site: nil,
                body: [
                    "host_id": EventValue(id), "state": .text(host.state.rawValue), "connected": .boolean(isConnected),
                ], at: now, in: transaction)
        }
        feed.announce()
    }
}
