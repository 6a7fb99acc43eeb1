import AgentCore
import Artifacts
import BlockingIO
import Domain
import Egress
import Engines
import Faults
import FleetIdentity
import Glibc
import Logging
import Nginx
import ServiceLifecycle
import Serving
import Systemd
import Telemetry
import UnixSignals
import Worker

/// Puts an agent together: what both roles share, and the roles that this host joined with.
struct Agent {
    struct Settings: Sendable {
        let state: StateFolder
        /// Where the coordinator is now; `nil` is where the host joined.
        let coordinator: String?
        let workerSlots: Int
        let listen: [NginxListenAddress]
        let nginx: String?
        /// Whose process nginx is.
        let nginxMode: NginxSettings.Mode
        /// How many requests a second one visitor may send to one site; 0 is without a limit.
        let visitorRate: Int
        /// Whether jobs are ended, and not left to the next agent, when this one is asked to stop.
        let endsJobsOnStop: Bool
        /// Models on machines of one's own, as `host:port`.
        let localModels: [String]
        let codex: String?
        /// Codex's way to a model when the coordinator has none configured.
        let ownModel: (socket: String, name: String)?
        let claude: String?
        /// What looks at changed pages.
        let browser: BrowserChoice
        var upgradeCommand: String?
        /// How long a new version may take to be well, in seconds.
        var upgradeGate = 120
    }

    let settings: Settings
    let logger: Logger

    /// Runs until SIGTERM or Ctrl-C. Services end in the reverse order of their start: first the worker lets its jobs
    /// end, then nginx, and last what they speak to the coordinator with.
    func run() async throws {
        let state = settings.state
        try state.prepare()
        let clock = HostClock()
        let pool = BlockingPool(label: "pagewright.disk", width: 8)
        let identityStore = AgentIdentityStore(directory: state.identity)
        let identity = AgentIdentityHolder(try await loadIdentity(from: identityStore, pool: pool))
        let connection = try CoordinatorConnection(identity: identity, clock: clock)
        let store = try await DirectoryBlobStore(directory: state.blobs, pool: pool)
        let spool = try await CompletionSpool(directory: state.spool, pool: pool, logger: logger)
        let blobs = try BlobClient(identity: identity, connection: connection, logger: logger)
        let facts = AgentFacts(version: AgentVersion.text, stateDirectory: state.path)
        let contact = CoordinatorContact(clock: clock)
        let roles = identity.current.roles

        let drain = try await LocalDrain(directory: state.path, pool: pool)
        let upgrades = UpgradeHook(
            state: state, command: settings.upgradeCommand, gate: settings.upgradeGate, version: facts.version,
            pool: pool, logger: logger)
        let renewer = CertificateRenewer(
            identity: identity, store: identityStore, connection: connection, pool: pool, clock: clock, logger: logger)

        var participants: [any SessionParticipant] = [spool, upgrades, renewer]
        var answering: [any LocalAnswering] = [drain, renewer, LogAnswers(ring: .standard)]
        var leaseHolders: [any LeaseHolding] = [spool]
        var roleServices: [any Service] = []
        if roles.contains(.worker) {
            let readiness = await SandboxReadiness.check(directory: state.jobs, pool: pool)
            let gate = try BrokeredModelGate(
                directory: state.ways, broker: EgressBroker(settings: egress, pool: pool, logger: logger), pool: pool)
            let worker = WorkerRole(
                configuration: .init(
                    slots: settings.workerSlots, directory: state.jobs,
                    shutdown: settings.endsJobsOnStop ? .end(grace: .seconds(10)) : .leave,
                    memoryDirectory: state.conversations,
                    inspector: PageInspector(
                        browser: settings.browser, agent: try program(), directory: state.looks)),
                engines: try engines(),
                readiness: readiness, store: store, transfer: blobs, spool: spool, pool: pool, gate: gate,
                reporting: blobs, logger: logger)
            // Before a session opens: its first frame says which leases are held.
            try await worker.restore(handedIn: spool.leases())
            try await gate.sweep(keeping: worker.jobs)
            participants.append(worker)
            leaseHolders.append(worker)
            roleServices.append(worker)
        }
        var nginx: NginxController?
        if roles.contains(.serving) {
            let layout = ServingLayout(root: state.path)
            let controller = NginxController(
                settings: ServingRole.nginxSettings(
                    for: layout, listen: settings.listen, executable: settings.nginx, mode: settings.nginxMode,
                    visitorRate: settings.visitorRate),
                logger: logger)
            let serving = ServingRole(
                layout: layout, blobs: store, transfer: blobs, nginx: controller, pool: pool, logger: logger,
                observe: { step, _ in FaultPoint.reach("serving-\(step.rawValue)") }, verify: VersionSigner.verify)
            participants.append(serving)
            answering.append(serving)
            // Before the worker, so that it ends after it: a job's last result may still be shown.
            roleServices.insert(serving, at: 0)
            nginx = controller
        }
        let notice = ServiceNotice.fromEnvironment()
        let announcer = ReadyAnnouncer(host: identity.current.host, nginx: nginx, notice: notice)
        participants.append(announcer)
        let reporter = StatusReporter(
            identity: identity, participants: participants, contact: contact, facts: facts, drain: drain, clock: clock)
        let condition = ConditionReporter(reporter: reporter, drain: drain)
        let session = SessionClient(
            identity: identity, connection: connection, participants: participants + [condition],
            leaseHolders: leaseHolders, contact: contact, facts: facts, drain: drain, pool: pool, logger: logger)
        let status = StatusServer(
            path: state.socket, reporter: reporter, answering: answering, pool: pool, logger: logger)
        let heartbeat: [any Service] = notice.map { [ServiceHeartbeat($0)] } ?? []
        let always: [any Service] = [
            status, blobs, renewer, spool, condition, upgrades, session, announcer,
            StartPages(start: .seconds(20), again: .seconds(120)),
        ]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: (heartbeat + always + roleServices).map {
                    .init(service: $0)
                }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }

    private var egress: EgressSettings {
        var egress = EgressSettings()
        egress.localModels = Set(settings.localModels.map { $0.lowercased() })
        return egress
    }

    private func loadIdentity(from store: AgentIdentityStore, pool: BlockingPool) async throws -> AgentIdentity {
        let saved = try await pool.run { try store.load() }
        guard let coordinator = settings.coordinator, coordinator != saved.coordinator else { return saved }
        return try AgentIdentity(
            key: saved.key, certificateChain: saved.certificateChain, trustRoots: saved.trustRoots,
            coordinator: CoordinatorAddresses(coordinator).text, hostName: saved.hostName, roles: saved.roles,
            trustDomain: saved.trustDomain)
    }

    /// This agent's own program on the host.
    private func program() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else { throw ServiceError(.internalError, "the agent cannot find its own program") }
        return String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private func engines() throws -> [any Engine] {
        let program = try program()
        let model = ModelEngine(program: program)
        var engines: [any Engine] = [BuiltinEngine(program: program), model]
        if let codex = settings.codex {
            engines.append(
                try settings.ownModel.map {
                    try CodexEngine(program: codex, socket: $0.socket, model: $0.name, generator: model)
                } ?? CodexEngine(program: codex, generator: model))
        }
        if let claude = settings.claude { engines.append(ClaudeEngine(program: claude, generator: model)) }
        return engines
    }
}
