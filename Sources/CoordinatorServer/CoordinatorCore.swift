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
import Queue
import QueueEmbedded

/// The drivers of an installation (SQLite, embedded queue, blobs in a folder or in S3) and the use cases over them. Only this
/// program names drivers.
struct CoordinatorCore: Sendable {
    let database: any SQLDatabase
    let queue: any JobQueue
    let blobs: any BlobInventory
    let authority: CertificateAuthority
    let services: CoordinatorServices
    let accounts: AccountService
    let idempotency: IdempotencyService
    let pool: BlockingPool

    /// Opens everything in `folder`, and brings the schema to the newest step.
    static func open(
        _ folder: StateFolder, settings: CoordinatorSettings, blobs blobSettings: BlobSettings = .directory,
        logger: Logger
    ) async throws -> Self {
        try folder.create()
        let clock = SystemClock()
        let pool = BlockingPool(label: "pagewright.files", width: 8)
        let database = try openDatabase(folder)
        let applied = try await Migrator(Schema.migrations).migrate(database)
        if !applied.isEmpty { logger.notice("Migrated the database", metadata: ["steps": "\(applied)"]) }
        let blobs = try await blobSettings.open(in: folder, pool: pool, clock: clock, logger: logger)
        let (authority, signer) = try await pool.run {
            (
                try CertificateAuthority.loadOrCreate(inDirectory: folder.authority, at: clock.now()),
                try VersionSigner.loadOrCreate(inDirectory: folder.authority)
            )
        }
        let templates = try await pool.run { try SiteTemplates.load() }
        let queue = EmbeddedJobQueue()
        let services = CoordinatorServices(
            database: database, queue: queue, blobs: blobs, reader: ArchiveReader(pool: pool),
            writer: ArchiveWriter(pool: pool), authority: authority, signer: signer, templates: templates,
            settings: settings, sidecar: Sidecar(directory: folder.memory, pool: pool), clock: clock, logger: logger)
        let key = try await SecretFile(path: folder.tokenKey).contents(length: AccessTokenSigner.keyLength, on: pool)
        let accounts = AccountService(
            database: database, passwords: try PasswordHasher(pool: pool),
            tokens: try await AccessTokenSigner(key: key),
            limiter: LoginRateLimiter(), clock: clock, logger: logger)
        return Self(
            database: database, queue: queue, blobs: blobs, authority: authority, services: services,
            accounts: accounts, idempotency: IdempotencyService(database: database, clock: clock), pool: pool)
    }

    /// Throws when the store does not do its work, or is not the one that has this coordinator's versions.
    func requireBlobs() async throws {
        try await blobs.probe()
        guard let newest = try await database.read({ try await Stores().versions.newest(in: $0) }),
            !(try await blobs.missing(among: [newest.digest])).isEmpty
        else { return }
        throw ServiceError(
            .failedPrecondition, "\(blobs.address) does not have the content of the newest version of \(newest.slug)",
            field: "blobs", rule: "blobs-elsewhere",
            nextStep:
                "Name the store that has it with --blobs, or copy it: pagewright-coordinator blobs migrate --from … --to …."
        )
    }

    static func openDatabase(_ folder: StateFolder) throws -> SQLiteDatabase {
        do {
            return try SQLiteDatabase(path: folder.database)
        } catch {
            throw ServiceError(
                .failedPrecondition, "cannot open the database \(folder.database)",
                nextStep: "Check that the disk is not full and that this user may write to the folder.", cause: error)
        }
    }
}
