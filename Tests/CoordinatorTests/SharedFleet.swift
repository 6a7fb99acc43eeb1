import Archives
import Artifacts
import BlockingIO
import Coordinator
import Database
import Domain
import FleetIdentity
import Logging
import Persistence
import Queue
import QueueEmbedded
import QueueRedis
import Redis
import ServiceLifecycle
import Synchronization
import TestDatabases
import TestSupport
import Testing

/// What several coordinators share: one database, one store, one set of keys. Agents are made of their frames.
struct SharedFleet: Sendable {
    let database: any SQLDatabase
    let owner: Principal
    private let blobs: DirectoryBlobStore
    private let pool: BlockingPool
    private let authority: CertificateAuthority
    private let signer: VersionSigner
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let page = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Test</title><meta name="description" content="A page."></head><body><h1>Hello</h1></body></html>

        """

    static func run(
        on driver: TestDatabase = .sqlite, _ body: @escaping @Sendable (SharedFleet) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            try await driver.withMigrated(in: folder) { try await run(on: $0, in: folder, body) }
        }
    }

    private static func run(
        on database: any SQLDatabase, in folder: String,
        _ body: @escaping @Sendable (SharedFleet) async throws -> Void
    ) async throws {
        let now = SystemClock().now()
        let pool = BlockingPool(label: "test", width: 4)
        let owner = Principal(user: UserID(at: now), role: .admin)
        try await database.withTransaction { transaction in
            try await transaction.execute(
                """
                INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                VALUES ($1, 'admin@example.org', 'Admin', 'admin', '-', 0)
                """, [.text(owner.user.text)])
        }
        try await body(
            SharedFleet(
                database: database, owner: owner,
                blobs: try await DirectoryBlobStore(directory: folder + "/blobs", pool: pool), pool: pool,
                authority: try CertificateAuthority.loadOrCreate(inDirectory: folder + "/ca", at: now),
                signer: try VersionSigner.loadOrCreate(inDirectory: folder + "/ca")))
    }

    /// Runs a coordinator for as long as `body` takes.
    func withCoordinator(
        queue: any JobQueue = EmbeddedJobQueue(), bus: any CoordinatorBus = SilentBus(), others: [any Service] = [],
        _ body: @escaping @Sendable (CoordinatorServices) async throws -> Void
    ) async throws {
        let services = CoordinatorServices(
            database: database, queue: queue, bus: bus, blobs: blobs, reader: ArchiveReader(pool: pool),
            writer: ArchiveWriter(pool: pool), authority: authority, signer: signer,
            templates: [
                SiteTemplate(
                    name: "plain", title: "Plain", description: "One page.",
                    files: [(path: "index.html", bytes: Array(Self.page.utf8))])
            ], settings: CoordinatorSettings(), clock: SystemClock(), logger: Self.logger)
        let background: [any Service] =
            others + [
                services.dispatcher, services.reaper, services.lookout, services.presence,
            ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in background { group.addTask { try await service.run() } }
            try await body(services)
            group.cancelAll()
        }
    }

    /// Runs a coordinator whose hints are on this server.
    func withCoordinator(
        on server: RedisServer, _ body: @escaping @Sendable (CoordinatorServices, RedisClient) async throws -> Void
    ) async throws {
        let keys = RedisKeys(database: 0)
        let client = try RedisClient(
            RedisConfiguration(address: try RedisAddress(server.address)),
            channels: [keys.queueChannel, keys.signalChannel], logger: Self.logger)
        let bus = RedisBus(client: client, keys: keys)
        try await withCoordinator(queue: RedisJobQueue(client: client, keys: keys), bus: bus, others: [client, bus]) {
            services in
            try await Self.until { client.isComplete }
            try await body(services, client)
        }
    }

    func addHost(_ roles: Set<HostRole>) async throws -> HostID {
        let now = SystemClock().now()
        let host = Host(
            id: HostID(at: now), name: "test", roles: roles, certificateSerial: "00", certificateExpiresAt: now,
            createdAt: now)
        try await database.withTransaction { try await Stores().hosts.insert(host, in: $0) }
        return host.id
    }

    /// Makes sites, and submits one edit for each.
    func submitEdits(_ slugs: [String], to services: CoordinatorServices) async throws -> Set<JobID> {
        var jobs: Set<JobID> = []
        for slug in slugs {
            _ = try await services.sites.create(slug: slug, name: slug, template: "plain", for: owner)
            let (edit, _) = try await services.edits.submit(
                prompt: "Change the headline to \"Hi\"", engine: nil, baseVersion: nil, to: slug, for: owner)
            jobs.insert(edit.job)
        }
        return jobs
    }

    static func until(_ limit: Duration = .seconds(90), _ holds: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !holds() {
            try #require(ContinuousClock.now < deadline, "waited too long")
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

/// An agent as a coordinator sees it: it says hello and how much it can take, accepts what it is offered, and ends each
/// job with a failure of the task, which is the shortest way to the end of one.
final class FrameAgent: Sendable {
    private struct State {
        var heard: [CoordinatorMessage] = []
        var isOpen = false
        var sessions = 0
    }

    let host: HostID
    private let slots: Int
    private let roles: Set<HostRole>
    private let endsJobs: Bool
    private let state = Mutex(State())

    init(host: HostID, roles: Set<HostRole> = [.worker], slots: Int = 4, endsJobs: Bool = true) {
        self.host = host
        self.roles = roles
        self.slots = slots
        self.endsJobs = endsJobs
    }

    var heard: [CoordinatorMessage] { state.withLock { $0.heard } }
    var isOpen: Bool { state.withLock { $0.isOpen } }
    var sessions: Int { state.withLock { $0.sessions } }
    /// Every offer that came, in order.
    var offers: [JobOffer] { heard.compactMap { if case .offer(let offer) = $0 { offer } else { nil } } }
    var goodbye: String? {
        heard.compactMap { if case .goAway(let reason, _) = $0 { reason } else { nil } }.last
    }

    /// Keeps one session until it ends.
    func run(on services: CoordinatorServices) async throws {
        let (frames, frame) = AsyncThrowingStream.makeStream(of: AgentMessage.self, throwing: (any Error).self)
        frame.yield(
            .hello(
                .init(
                    agentVersion: "1", roles: roles, bootID: "b", leases: [], inventory: [], engines: [.builtin])))
        let beat = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(5))
                frame.yield(.heartbeat(leases: [], diskFreeBytes: 1, diskTotalBytes: 2))
            }
        }
        defer {
            beat.cancel()
            state.withLock { $0.isOpen = false }
        }
        try await services.sessions.serve(host, incoming: frames) { [self] message in
            state.withLock { $0.heard.append(message) }
            switch message {
            case .welcome:
                state.withLock {
                    $0.isOpen = true
                    $0.sessions += 1
                }
                if roles.contains(.worker) { frame.yield(.credit(slots: slots)) }
            case .offer(let offer):
                frame.yield(.accept(offer.lease))
                guard endsJobs else { return }
                frame.yield(
                    .complete(
                        JobCompletion(
                            lease: offer.lease,
                            outcome: .failed(JobFailure(kind: .task, code: "test", message: "No.")), summary: "",
                            usage: .zero)))
                frame.yield(.credit(slots: slots))
            default: break
            }
        }
    }
}
