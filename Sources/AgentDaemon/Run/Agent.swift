import AgentCore
import Artifacts
import BlockingIO
import Domain
import Engines
import Faults
import FleetIdentity
import Glibc
import Logging
import Nginx
import ServiceLifecycle
import Serving
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
        let codex: (program: String, socket: String, model: String)?
        var upgradeCommand: String?
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
            state: state, command: settings.upgradeCommand, version: facts.version, pool: pool, logger: logger)
        let renewer = CertificateRenewer(
            identity: identity, store: identityStore, connection: connection, pool: pool, clock: clock, logger: logger)

        var participants: [any SessionParticipant] = [spool, upgrades, renewer]
        var answering: [any LocalAnswering] = [drain, renewer, LogAnswers(ring: .standard)]
        var leaseHolders: [any LeaseHolding] = [spool]
        var roleServices: [any Service] = []
        if roles.contains(.worker) {
            let readiness = await SandboxReadiness.check(directory: state.jobs, pool: pool)
            let worker = WorkerRole(
                configuration: .init(slots: settings.workerSlots, directory: state.jobs), engines: try engines(),
                readiness: readiness, store: store, transfer: blobs, spool: spool, pool: pool, logger: logger)
            participants.append(worker)
            leaseHolders.append(worker)
            roleServices.append(worker)
        }
        var nginx: NginxController?
        if roles.contains(.serving) {
            let layout = ServingLayout(root: state.path)
            let controller = NginxController(
                settings: ServingRole.nginxSettings(
                    for: layout, listen: settings.listen, executable: settings.nginx), logger: logger)
            let serving = ServingRole(
                layout: layout, blobs: store, transfer: blobs, nginx: controller, pool: pool, logger: logger,
                observe: { step, _ in FaultPoint.reach("serving-\(step.rawValue)") }, verify: VersionSigner.verify)
            participants.append(serving)
            answering.append(serving)
            // Before the worker, so that it ends after it: a job's last result may still be shown.
            roleServices.insert(serving, at: 0)
            nginx = controller
        }
        let announcer = ReadyAnnouncer(host: identity.current.host, nginx: nginx)
        participants.append(announcer)
        let reporter = StatusReporter(
            identity: identity, participants: participants, contact: contact, facts: facts, drain: drain, clock: clock)
        let condition = ConditionReporter(reporter: reporter, drain: drain)
        let session = SessionClient(
            identity: identity, connection: connection, participants: participants + [condition],
            leaseHolders: leaseHolders, contact: contact, facts: facts, drain: drain, pool: pool, logger: logger)
        let status = StatusServer(
            path: state.socket, reporter: reporter, answering: answering, pool: pool, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: ([status, blobs, renewer, spool, condition, upgrades, session, announcer] + roleServices).map
                {
                    .init(service: $0)
                }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }

    private func loadIdentity(from store: AgentIdentityStore, pool: BlockingPool) async throws -> AgentIdentity {
        let saved = try await pool.run { try store.load() }
        guard let coordinator = settings.coordinator, coordinator != saved.coordinator else { return saved }
        return try AgentIdentity(
            key: saved.key, certificateChain: saved.certificateChain, trustRoots: saved.trustRoots,
            coordinator: CoordinatorAddresses(coordinator).text, hostName: saved.hostName, roles: saved.roles,
            trustDomain: saved.trustDomain)
    }

    private func engines() throws -> [any Engine] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else { throw ServiceError(.internalError, "the agent cannot find its own program") }
        let program = String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
        var engines: [any Engine] = [BuiltinEngine(program: program)]
        if let codex = settings.codex {
            engines.append(try CodexEngine(program: codex.program, socket: codex.socket, model: codex.model))
        }
        return engines
    }
}
