import Archives
import Artifacts
import ArtifactsS3
import BlockingIO
import Database
import DatabaseSQLite
import Domain
import FleetIdentity
import Logging
import NIOCore
import Persistence
import QueueEmbedded
import Synchronization
import TestSupport

@testable import Coordinator

/// A coordinator whose store of blobs can be watched and held up.
struct CollectionRoom: Sendable {
    enum Driver: CaseIterable, Sendable {
        case directory, s3
    }

    /// The machine's clock, which a test can turn on.
    final class Clock: WallClock {
        private let offset = Mutex(Duration.zero)
        func now() -> Timestamp { SystemClock().now() + offset.withLock { $0 } }
        func advance(by duration: Duration) { offset.withLock { $0 += duration } }
    }

    let folder: String
    let database: any SQLDatabase
    let blobs: HookedStore
    let clock = Clock()
    let services: CoordinatorServices
    let admin: Principal

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func with(
        _ driver: Driver = .directory, _ body: (CollectionRoom) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let pool = BlockingPool(label: "test", width: 4)
            let store: any BlobInventory
            switch driver {
            case .directory: store = try await DirectoryBlobStore(directory: folder + "/blobs", pool: pool)
            case .s3:
                let server = try await S3Server.shared()
                store = try await S3BlobStore(
                    location: S3Location(server.address(ofBucket: try await server.makeBucket())),
                    credentials: S3CredentialSource(
                        S3Credentials(accessKey: S3Server.accessKey, secretKey: S3Server.secretKey), pool: pool),
                    spool: folder + "/spool", pool: pool, clock: SystemClock(), logger: logger)
            }
            try await body(try await CollectionRoom(folder: folder, store: store, pool: pool))
        }
    }

    private init(folder: String, store: any BlobInventory, pool: BlockingPool) async throws {
        self.folder = folder
        database = try SQLiteDatabase(path: folder + "/test.sqlite")
        _ = try await Migrator(Schema.migrations).migrate(database)
        blobs = HookedStore(store)
        let authority = try CertificateAuthority.loadOrCreate(inDirectory: folder + "/ca", at: clock.now())
        services = CoordinatorServices(
            database: database, queue: EmbeddedJobQueue(), blobs: blobs, reader: ArchiveReader(pool: pool),
            writer: ArchiveWriter(pool: pool), authority: authority,
            signer: try VersionSigner.loadOrCreate(inDirectory: folder + "/ca"),
            templates: (0..<4).map(Self.template), settings: CoordinatorSettings(), clock: clock, logger: Self.logger)
        let admin = Principal(user: UserID(at: clock.now()), role: .admin)
        self.admin = admin
        try await database.withTransaction { transaction in
            try await transaction.execute(
                """
                INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                VALUES ($1, 'admin@example.org', 'Admin', 'admin', '-', 0)
                """, [.text(admin.user.text)])
        }
    }

    /// A page of its own, and a style sheet that all templates have.
    static func template(_ number: Int) -> SiteTemplate {
        SiteTemplate(
            name: "t\(number)", title: "T\(number)", description: "Template \(number).",
            files: [("index.html", Array(page(number).utf8)), ("styles.css", Array("body { margin: 0 }\n".utf8))])
    }

    static func page(_ number: Int) -> String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Page \(number)</title><meta name="description" content="A page."><link rel="stylesheet" href="styles.css">
        </head><body><h1>Hello \(number)</h1></body></html>

        """
    }

    static func pageDigest(_ number: Int) -> ContentDigest { ContentDigest(hashing: page(number)) }

    /// Makes a site of one of the templates.
    @discardableResult
    func makeSite(_ slug: String, template: Int) async throws -> SiteView {
        try await services.sites.create(slug: slug, name: slug, template: "t\(template)", for: admin)
    }

    func deleteSite(_ slug: String) async throws {
        try await services.sites.delete(slug, for: admin)
    }

    var collector: BlobCollector {
        BlobCollector(database: database, blobs: blobs, clock: clock, logger: Self.logger)
    }

    var verifier: BlobVerifier { BlobVerifier(database: database, blobs: blobs, clock: clock) }

    /// Everything that is in the store.
    func stored() async throws -> [ContentDigest: Int64] {
        var all: [ContentDigest: Int64] = [:]
        try await blobs.forEachPage { page in for blob in page { all[blob.digest] = blob.sizeInBytes } }
        return all
    }

    func condemned() async throws -> Set<ContentDigest> {
        try await database.read { try await CondemnedBlobStore().list(in: $0) }
    }
}

/// A store that does something of a test's before or after what it is told.
final class HookedStore: BlobInventory {
    typealias Hook = @Sendable () async throws -> Void

    private struct Hooks {
        var beforeRemove: Hook?
        var afterCommit: Hook?
    }

    let base: any BlobInventory
    private let hooks = Mutex(Hooks())

    init(_ base: any BlobInventory) { self.base = base }

    /// Is called once.
    func beforeNextRemove(_ hook: @escaping Hook) { hooks.withLock { $0.beforeRemove = hook } }
    /// Is called once.
    func afterNextCommit(_ hook: @escaping Hook) { hooks.withLock { $0.afterCommit = hook } }

    private func take(_ path: WritableKeyPath<Hooks, Hook?>) -> Hook? {
        hooks.withLock { hooks in
            defer { hooks[keyPath: path] = nil }
            return hooks[keyPath: path]
        }
    }

    fileprivate func committed() async throws { try await take(\.afterCommit)?() }

    var address: String { base.address }
    func probe() async throws { try await base.probe() }
    func missing(among digests: [ContentDigest]) async throws -> [ContentDigest] {
        try await base.missing(among: digests)
    }
    func sizeInBytes(of digest: ContentDigest) async throws -> Int64? { try await base.sizeInBytes(of: digest) }
    func read(_ digest: ContentDigest, limit: Int) async throws -> [UInt8] { try await base.read(digest, limit: limit) }
    func forEachPiece(
        of digest: ContentDigest, ofAtMost pieceSize: Int, _ body: (ByteBuffer) async throws -> Void
    ) async throws { try await base.forEachPiece(of: digest, ofAtMost: pieceSize, body) }
    func makeBatch() async throws -> any BlobBatch { HookedBatch(base: try await base.makeBatch(), store: self) }
    func forEachPage(_ body: ([ListedBlob]) async throws -> Void) async throws { try await base.forEachPage(body) }
    func remove(
        _ digests: [ContentDigest], olderThan age: Duration, order: RemovalOrder
    ) async throws -> BlobRemoval {
        try await take(\.beforeRemove)?()
        return try await base.remove(digests, olderThan: age, order: order)
    }
    func removeUnfinished(olderThan age: Duration, isDryRun: Bool) async throws -> BlobCount {
        try await base.removeUnfinished(olderThan: age, isDryRun: isDryRun)
    }
}

private struct HookedBatch: BlobBatch {
    let base: any BlobBatch
    let store: HookedStore

    func makeWriter() async throws -> any BlobWriter { try await base.makeWriter() }
    func read(_ digest: ContentDigest, limit: Int) async throws -> [UInt8] { try await base.read(digest, limit: limit) }
    func commit() async throws {
        try await base.commit()
        try await store.committed()
    }
    func discard() async { await base.discard() }
}
