import AgentGateway
import Archives
import Artifacts
import BlockingIO
import Coordinator
import Database
import DatabaseSQLite
import Domain
import FleetIdentity
import Foundation
import Logging
import Persistence
import QueueEmbedded
import ServiceLifecycle
import TestSupport

/// A coordinator of its own for one test: SQLite, the embedded queue, a folder of blobs, and the port for agents.
struct CoordinatorFixture: Sendable {
    let folder: String
    let services: CoordinatorServices
    let authority: CertificateAuthority
    let database: any SQLDatabase
    let blobs: DirectoryBlobStore
    /// An admin.
    let admin: Principal
    /// Where agents connect.
    let port: Int

    static func run<Value: Sendable>(
        settings: CoordinatorSettings = CoordinatorSettings(), gatewayClock: any WallClock = SystemClock(),
        _ body: @escaping @Sendable (CoordinatorFixture) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryDirectory { folder in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let clock = SystemClock()
            let pool = BlockingPool(label: "test", width: 4)
            let database = try SQLiteDatabase(path: folder + "/test.sqlite")
            _ = try await Migrator(Schema.migrations).migrate(database)
            let blobs = try await DirectoryBlobStore(directory: folder + "/blobs", pool: pool)
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: folder + "/ca", at: clock.now())
            let signer = try VersionSigner.loadOrCreate(inDirectory: folder + "/ca")
            let services = CoordinatorServices(
                database: database, queue: EmbeddedJobQueue(), blobs: blobs, reader: ArchiveReader(pool: pool),
                writer: ArchiveWriter(pool: pool), authority: authority, signer: signer,
                templates: try SiteTemplates.load(), settings: settings, clock: clock, logger: logger)
            let admin = Principal(user: UserID(at: clock.now()), role: .admin)
            try await database.withTransaction { transaction in
                try await transaction.execute(
                    """
                    INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                    VALUES ($1, 'admin@example.org', 'Admin', 'admin', '-', 0)
                    """, [.text(admin.user.text)])
            }
            let (ports, bound) = AsyncStream.makeStream(of: Int.self)
            let gateway = AgentGatewayServer(
                host: "127.0.0.1", port: 0,
                credential: try authority.issueServerCertificate(names: ["127.0.0.1"], at: clock.now()),
                authority: authority, membership: services.membership, sessions: services.sessions,
                registry: services.registry, exchange: services.exchange,
                pageChecks: services.pageChecks, calls: services.calls, clock: gatewayClock, logger: logger,
                onBound: { bound.yield($0) })
            let group = ServiceGroup(
                services: [gateway, services.dispatcher, services.reaper, services.lookout], logger: logger)
            return try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                var port = 0
                for await number in ports {
                    port = number
                    break
                }
                let fixture = CoordinatorFixture(
                    folder: folder, services: services, authority: authority, database: database, blobs: blobs,
                    admin: admin, port: port)
                do {
                    let value = try await body(fixture)
                    await group.triggerGracefulShutdown()
                    try await tasks.waitForAll()
                    return value
                } catch {
                    tasks.cancelAll()
                    throw error
                }
            }
        }
    }

    /// A join token for both roles.
    func invite() async throws -> String {
        try await services.hosts.invite(roles: ["worker", "serving"], for: admin).token
    }
}
