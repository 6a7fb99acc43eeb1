import Archives
import Artifacts
import BlockingIO
import Database
import DatabaseSQLite
import Domain
import FleetIdentity
import Foundation
import Logging
import Persistence
import Queue
import QueueEmbedded
import Synchronization
import TestDatabases
import TestSupport

@testable import Coordinator

/// All use cases on a database of their own, with a clock that the test turns. No service runs by itself.
struct Installation: Sendable {
    final class Clock: WallClock {
        private let time = Mutex(Timestamp(millisecondsSinceEpoch: 1_800_000_000_000))
        func now() -> Timestamp { time.withLock { $0 } }
        func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
    }

    static let page = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Test</title><meta name="description" content="A page."></head><body><h1>Hello</h1></body></html>

        """
    static let address = ClientAddress("192.0.2.1")

    let folder: String
    let database: any SQLDatabase
    let stores = Stores()
    let clock: Clock
    let blobs: DirectoryBlobStore
    let services: CoordinatorServices
    let accounts: AccountService
    let admin: Principal

    static func with<Value>(
        settings: CoordinatorSettings = CoordinatorSettings(), on driver: TestDatabase = .sqlite,
        _ body: (Installation) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryDirectory { folder in
            try await driver.withMigrated(in: folder) { database in
                try await body(try await open(folder, on: database, settings: settings))
            }
        }
    }

    /// Opens the installation in `folder`, or makes it there with SQLite.
    static func open(
        _ folder: String, on given: (any SQLDatabase)? = nil, settings: CoordinatorSettings = CoordinatorSettings(),
        clock: Clock = Clock()
    ) async throws -> Installation {
        let database = try given ?? SQLiteDatabase(path: folder + "/pagewright.sqlite")
        if given == nil { _ = try await Migrator(Schema.migrations).migrate(database) }
        let pool = BlockingPool(label: "test.blobs", width: 4)
        let blobs = try await DirectoryBlobStore(directory: folder + "/blobs", pool: pool)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let services = CoordinatorServices(
            database: database, queue: EmbeddedJobQueue(), blobs: blobs, reader: ArchiveReader(pool: pool),
            writer: ArchiveWriter(pool: pool),
            authority: try CertificateAuthority.loadOrCreate(inDirectory: folder + "/ca", at: clock.now()),
            signer: try VersionSigner.loadOrCreate(inDirectory: folder + "/ca"),
            templates: [
                SiteTemplate(
                    name: "plain", title: "Plain", description: "One page.",
                    files: [(path: "index.html", bytes: Array(page.utf8))])
            ], settings: settings, sidecar: Sidecar(directory: folder + "/not-in-backups", pool: pool), clock: clock,
            logger: logger)
        let accounts = AccountService(
            database: database,
            passwords: PasswordHasher(uncheckedCost: 4, pool: BlockingPool(label: "test.passwords", width: 2)),
            tokens: try await AccessTokenSigner(key: [UInt8](repeating: 7, count: 32)), limiter: LoginRateLimiter(),
            clock: clock, logger: logger)
        let admin = Principal(user: UserID(unchecked: "user_0000000000000000000000"), role: .admin, requestID: "req-1")
        try await database.withTransaction { transaction in
            try await transaction.execute(
                """
                INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                VALUES ($1, 'admin@example.org', 'Admin', 'admin', '-', 0) ON CONFLICT (id) DO NOTHING
                """, [.text(admin.user.text)])
        }
        return Installation(
            folder: folder, database: database, clock: clock, blobs: blobs, services: services, accounts: accounts,
            admin: admin)
    }

    /// Another user.
    func user(_ name: String) async throws -> Principal {
        let user = UserID(at: clock.now())
        try await database.withTransaction { transaction in
            try await transaction.execute(
                """
                INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                VALUES ($1, $2, $3, 'user', '-', 0)
                """, [.text(user.text), .text(name + "@example.org"), .text(name)])
        }
        return Principal(user: user, role: .user)
    }

    func site(_ slug: String, of principal: Principal? = nil) async throws -> SiteID {
        try await services.sites.create(slug: slug, name: slug, template: nil, for: principal ?? admin).site.id
    }

    func edit(_ site: SiteID, of principal: Principal? = nil) async throws -> JobID {
        try await services.edits.submit(
            prompt: "Change the headline", engine: nil, baseVersion: nil, to: site.text, for: principal ?? admin
        ).job.job.id
    }

    /// A member with a session's rights, but without a session.
    func host(_ roles: [String] = ["worker", "serving"]) async throws -> HostID {
        let invitation = try await services.hosts.invite(roles: roles, for: admin)
        return try await services.membership.enrol(
            secret: try JoinToken(invitation.token).secret.text, signingRequest: try AgentKey().signingRequest(),
            hostName: "host", agentVersion: "1"
        ).host
    }

    /// The job that the queue would hand out next.
    func nextReady() async throws -> Job? {
        guard let entry = try await services.ledger.readyEntries(QueueLabel(.builtin), limit: 1).first else {
            return nil
        }
        return try await database.read { try await Stores().jobs.find(entry.job, in: $0)?.job }
    }

    /// Gives the job to the host, and lets the host take it.
    func lease(_ job: JobID, to host: HostID) async throws -> JobLease {
        guard let offer = try await services.ledger.grant(job, to: host, able: [.builtin]),
            try await services.ledger.accept(offer.lease, from: host)
        else { throw ServiceError(.internalError, "\(job) could not be leased") }
        return offer.lease
    }

    /// What a worker says that put `page` in the place of the first page.
    func completion(_ lease: JobLease, of site: SiteID, page: String) async throws -> JobCompletion {
        let digest = try await blobs.put(Array(page.utf8))
        let shown = try await services.sites.find(site.text, for: admin).site.preview!
        let base = try await services.versions.manifest(shown.rawValue, of: site.text, for: admin).manifest
        let changes = ManifestDelta(
            upserts: [
                Manifest.Entry(
                    path: try SitePath("index.html"), sizeInBytes: Int64(page.utf8.count), digest: digest)
            ], removals: [])
        return JobCompletion(
            lease: lease, outcome: .succeeded(changes: changes, digest: try changes.applied(to: base).digest),
            summary: "Done", usage: .zero)
    }

    /// A `.tar.gz` of one page.
    func archive(_ page: String) throws -> String {
        let tree = folder + "/upload"
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        try Data(page.utf8).write(to: URL(filePath: tree + "/index.html"))
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/tar")
        tar.arguments = ["-czf", folder + "/upload.tar.gz", "-C", tree, "index.html"]
        try tar.run()
        tar.waitUntilExit()
        return folder + "/upload.tar.gz"
    }

    /// How many rows the audit log has, by action.
    func auditRows() async throws -> [String: Int] { try await database.auditRows() }

    func execute(_ statement: String, _ parameters: [SQLValue] = []) async throws {
        try await database.withTransaction { try await $0.execute(statement, parameters) }
    }
}

extension SQLDatabase {
    /// How many rows the audit log has, by action.
    func auditRows() async throws -> [String: Int] {
        try await read { transaction in
            var counts: [String: Int] = [:]
            for row in try await transaction.query(
                "SELECT action, COUNT(*) AS number FROM audit_entry GROUP BY action")
            {
                counts[try row.text("action")] = Int(try row.integer("number"))
            }
            return counts
        }
    }
}
