import Archives
import Artifacts
import BlockingIO
import Database
import DatabaseSQLite
import Domain
import FleetIdentity
import Logging
import Persistence
import QueueEmbedded
import Synchronization
import TestSupport

@testable import Coordinator

/// All use cases on SQLite and a folder of blobs, without gateways: an agent is somebody who sends and gets messages.
struct SessionFixture: Sendable {
    final class Clock: WallClock {
        private let offset = Mutex(Duration.zero)
        func now() -> Timestamp { SystemClock().now() + offset.withLock { $0 } }
        func advance(by duration: Duration) { offset.withLock { $0 += duration } }
    }

    /// The other end of one session.
    struct Agent: Sendable {
        struct SessionEnded: Error {}

        fileprivate let frames: AsyncThrowingStream<AgentMessage, any Error>.Continuation
        fileprivate let received: AsyncStream<CoordinatorMessage>

        func say(_ message: AgentMessage) { frames.yield(message) }

        /// The next message that `choose` finds something in; others are passed over. For one task only.
        func next<Value>(_ choose: (CoordinatorMessage) -> Value?) async throws -> Value {
            for await message in received {
                if let value = choose(message) { return value }
            }
            throw SessionEnded()
        }

        /// Returns when everything that was said before was handled: frames are, in their order.
        func settle() async throws {
            say(.heartbeat(leases: [], diskFreeBytes: 1, diskTotalBytes: 2))
            try await next { if case .renewed = $0 { () } else { nil } }
        }
    }

    let database: any SQLDatabase
    let services: CoordinatorServices
    let clock: Clock
    let admin: Principal

    static func with(
        settings: CoordinatorSettings = CoordinatorSettings(),
        _ body: @escaping @Sendable (SessionFixture) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let clock = Clock()
            let pool = BlockingPool(label: "test", width: 4)
            let database = try SQLiteDatabase(path: folder + "/test.sqlite")
            _ = try await Migrator(Schema.migrations).migrate(database)
            let page =
                #"<!doctype html><html lang="en"><head><title>Test</title></head><body><h1>Hello</h1></body></html>"#
            let services = CoordinatorServices(
                database: database, queue: EmbeddedJobQueue(),
                blobs: try await DirectoryBlobStore(directory: folder + "/blobs", pool: pool),
                reader: ArchiveReader(pool: pool), writer: ArchiveWriter(pool: pool),
                authority: try CertificateAuthority.loadOrCreate(inDirectory: folder + "/ca", at: clock.now()),
                signer: try VersionSigner.loadOrCreate(inDirectory: folder + "/ca"),
                templates: [
                    SiteTemplate(
                        name: "plain", title: "Plain", description: "One page.",
                        files: [(path: "index.html", bytes: Array(page.utf8))])
                ], settings: settings, clock: clock,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let admin = Principal(user: UserID(at: clock.now()), role: .admin)
            try await database.withTransaction { transaction in
                try await transaction.execute(
                    """
                    INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                    VALUES ($1, 'admin@example.org', 'Admin', 'admin', '-', 0)
                    """, [.text(admin.user.text)])
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await services.dispatcher.run() }
                defer { group.cancelAll() }
                try await body(SessionFixture(database: database, services: services, clock: clock, admin: admin))
            }
        }
    }

    /// Makes a member.
    func join(_ roles: Set<HostRole>) async throws -> HostID {
        let invitation = try await services.hosts.invite(roles: roles.map(\.rawValue), for: admin)
        return try await services.membership.enrol(
            secret: try JoinToken(invitation.token).secret.text, signingRequest: try AgentKey().signingRequest(),
            hostName: "host", agentVersion: "1"
        ).host
    }

    /// A session of `host` for as long as `body` runs.
    func session<Value: Sendable>(
        of host: HostID, _ roles: Set<HostRole>, _ body: @escaping @Sendable (Agent) async throws -> Value
    ) async throws -> Value {
        let (incoming, frames) = AsyncThrowingStream.makeStream(of: AgentMessage.self, throwing: (any Error).self)
        let (received, receiving) = AsyncStream.makeStream(of: CoordinatorMessage.self)
        let agent = Agent(frames: frames, received: received)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                defer { receiving.finish() }
                try await services.sessions.serve(host, incoming: incoming) { receiving.yield($0) }
                return nil
            }
            group.addTask {
                defer { frames.finish() }
                agent.say(
                    .hello(
                        .init(
                            agentVersion: "1", roles: roles, bootID: "boot", leases: [], inventory: [],
                            engines: [.builtin])))
                // What the coordinator says first, to every agent.
                try await agent.next { if case .renewed = $0 { () } else { nil } }
                return try await body(agent)
            }
            var result: Value?
            while let next = try await group.next() { result = next ?? result }
            guard let result else { throw Agent.SessionEnded() }
            return result
        }
    }

    func makeSite(_ slug: String) async throws -> SiteID {
        try await services.sites.create(slug: slug, name: "A site", template: nil, for: admin).site.id
    }
}
