import Archives
import Artifacts
import BlockingIO
import Coordinator
import Database
import DatabasePostgres
import DatabaseSQLite
import Domain
import FleetIdentity
import Logging
import Persistence
import Queue
import QueueEmbedded
import QueueRedis
import Redis
import ServiceLifecycle

/// The use cases of a coordinator in this process, on a real database, without gateways.
struct BenchCoordinator: Sendable {
    static let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    private static let page = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Bench</title><meta name="description" content="A page."></head><body><h1>Hello</h1></body></html>

        """

    let services: CoordinatorServices
    /// What runs beside, besides the services of the coordinator.
    let others: [any Service]

    /// `postgres://…` or the path of a file for SQLite; with the newest schema.
    static func open(_ text: String) async throws -> any SQLDatabase {
        let database: any SQLDatabase
        if text.hasPrefix("postgres") {
            let postgres = try PostgresDatabase(PostgresSettings(address: try PostgresAddress(text)), logger: logger)
            try await postgres.verify()
            database = postgres
        } else {
            database = try SQLiteDatabase(path: text)
        }
        _ = try await Migrator(Schema.migrations).migrate(database)
        return database
    }

    /// Coordinators of one `folder` share keys and content. Without `redis` they have no hints but their own.
    init(_ database: any SQLDatabase, folder: String, redis: String? = nil) async throws {
        let pool = BlockingPool(label: "bench", width: 4)
        let now = SystemClock().now()
        var settings = CoordinatorSettings()
        settings.queuedEditsPerSite = 1_000_000
        let queue: any JobQueue
        let bus: any CoordinatorBus
        if let redis {
            let address = try RedisAddress(redis)
            let keys = RedisKeys(database: address.database)
            let client = try RedisClient(
                RedisConfiguration(address: address), channels: [keys.queueChannel, keys.signalChannel],
                logger: Self.logger)
            let redisBus = RedisBus(client: client, keys: keys)
            (queue, bus, others) = (RedisJobQueue(client: client, keys: keys), redisBus, [client, redisBus])
        } else {
            (queue, bus, others) = (EmbeddedJobQueue(), SilentBus(), [])
        }
        services = CoordinatorServices(
            database: database, queue: queue, bus: bus,
            blobs: try await DirectoryBlobStore(directory: folder + "/blobs", pool: pool),
            reader: ArchiveReader(pool: pool), writer: ArchiveWriter(pool: pool),
            authority: try CertificateAuthority.loadOrCreate(inDirectory: folder + "/ca", at: now),
            signer: try VersionSigner.loadOrCreate(inDirectory: folder + "/ca"),
            templates: [
                SiteTemplate(
                    name: "plain", title: "Plain", description: "One page.",
                    files: [(path: "index.html", bytes: Array(Self.page.utf8))])
            ], settings: settings, clock: SystemClock(), logger: Self.logger)
    }

    /// Runs what a coordinator runs while `body` does.
    func running<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let background: [any Service] =
            others + [services.dispatcher, services.reaper, services.lookout, services.sealer, services.presence]
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            for service in background {
                group.addTask {
                    try await service.run()
                    return nil
                }
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let value = try await group.next() { if let value { return value } }
            throw CancellationError()
        }
    }

    /// A user who has never been here.
    static func makeUser(in database: any SQLDatabase) async throws -> Principal {
        let user = UserID(at: SystemClock().now())
        try await database.withTransaction { transaction in
            try await transaction.execute(
                """
                INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                VALUES ($1, $2, 'Bench', 'user', '-', 0)
                """, [.text(user.text), .text("\(user.text)@example.org")])
        }
        return Principal(user: user, role: .user)
    }

    static func makeHost(in database: any SQLDatabase) async throws -> HostID {
        let now = SystemClock().now()
        let host = Host(
            id: HostID(at: now), name: "bench", roles: [.worker], certificateSerial: "00", certificateExpiresAt: now,
            createdAt: now)
        try await database.withTransaction { try await Stores().hosts.insert(host, in: $0) }
        return host.id
    }

    /// Sites with new names.
    func makeSites(_ count: Int, for owner: Principal) async throws -> [SiteID] {
        let name = String(UInt32.random(in: .min ... .max), radix: 36)
        var sites: [SiteID] = []
        for number in 0..<count {
            sites.append(
                try await services.sites.create(
                    slug: "bench-\(name)-\(number)", name: "Bench", template: "plain", for: owner
                ).site.id)
        }
        return sites
    }

    func submit(to site: SiteID, for owner: Principal) async throws -> JobID {
        try await services.edits.submit(
            prompt: "Change the headline to \"Hi\"", engine: nil, baseVersion: nil, to: site.text, for: owner
        ).edit.job
    }

    /// The shortest way to the end of a job: no version is made of it.
    static func emptyResult(_ lease: JobLease) -> JobCompletion {
        JobCompletion(
            lease: lease, outcome: .failed(JobFailure(kind: .task, code: "bench", message: "Nothing to do.")),
            summary: "", usage: .zero)
    }
}
