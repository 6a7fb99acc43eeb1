import Archives
import Artifacts
import BlockingIO
import Coordinator
import Database
import DatabasePostgres
import DatabaseSQLite
import Domain
import FleetIdentity
import Foundation
import Logging
import Persistence

/// The drivers of an installation (SQLite or PostgreSQL, blobs in a folder or in S3, the embedded queue or Redis) and the
/// use cases over them. Only this program names drivers.
struct CoordinatorCore: Sendable {
    let database: any SQLDatabase
    let writeProbe: WriteProbe
    let hints: Hints
    let blobs: any BlobInventory
    let authority: CertificateAuthority
    let services: CoordinatorServices
    let accounts: AccountService
    let idempotency: IdempotencyService
    let pool: BlockingPool

    /// Opens everything in `folder` and the database, and brings the schema to the newest step.
    static func open(
        _ folder: StateFolder, database source: DatabaseSource, settings: CoordinatorSettings,
        hints: Hints = .embedded(), blobs blobSettings: BlobSettings = .directory, logger: Logger
    ) async throws -> Self {
        try folder.create()
        let clock = SystemClock()
        let pool = BlockingPool(label: "pagewright.files", width: 8)
        let database = try await openDatabase(source, logger: logger)
        let applied = try await migrate(database, at: source)
        if !applied.isEmpty { logger.notice("Migrated the database", metadata: ["steps": "\(applied)"]) }
        let blobs = try await blobSettings.open(in: folder, pool: pool, clock: MachineClock(), logger: logger)
        let (authority, signer) = try await pool.run {
            (
                try CertificateAuthority.loadOrCreate(inDirectory: folder.authority, at: clock.now()),
                try VersionSigner.loadOrCreate(inDirectory: folder.authority)
            )
        }
        let templates = try await pool.run { try SiteTemplates.load() }
        let sealingKey = try await SecretFile(path: folder.sealingKey).contents(length: KeySealer.keyLength, on: pool)
        let services = CoordinatorServices(
            database: database, queue: hints.queue, bus: hints.bus, blobs: blobs, reader: ArchiveReader(pool: pool),
            writer: ArchiveWriter(pool: pool), authority: authority, signer: signer, templates: templates,
            settings: settings, sidecar: Sidecar(directory: folder.memory, pool: pool),
            sealer: KeySealer(key: sealingKey), probe: HTTPModelProbe(), clock: clock, logger: logger)
        let key = try await SecretFile(path: folder.tokenKey).contents(length: AccessTokenSigner.keyLength, on: pool)
        let accounts = AccountService(
            database: database, passwords: try PasswordHasher(pool: pool),
            tokens: try await AccessTokenSigner(key: key),
            limiter: LoginRateLimiter(shared: hints.counters), clock: clock, logger: logger)
        return Self(
            database: database, writeProbe: WriteProbe(database), hints: hints, blobs: blobs, authority: authority,
            services: services, accounts: accounts,
            idempotency: IdempotencyService(database: database, clock: clock), pool: pool)
    }

    /// Throws when the store does not do its work, or is not the one that has this coordinator's versions.
    func requireBlobs() async throws {
        try await blobs.probe()
        try await Self.requireVersions(of: database, in: blobs)
    }

    /// Throws when the store is not the one that has the versions of the database.
    static func requireVersions(of database: any SQLDatabase, in blobs: any BlobInventory) async throws {
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

    /// Opens a database that can be used, as far as that shows before its schema is looked at.
    static func openDatabase(_ source: DatabaseSource, logger: Logger) async throws -> any SQLDatabase {
        do {
            switch source {
            case .sqlite(let path): return try SQLiteDatabase(path: path)
            case .postgres(let address):
                let (database, facts) = try await openPostgres(address, logger: logger)
                if !facts.isDurable {
                    logger.warning(
                        "The database forgets what it reported as committed when its machine fails",
                        metadata: ["database": "\(source)", "settings": "fsync, full_page_writes, synchronous_commit"])
                }
                return database
            }
        } catch let error as SQLError {
            throw ServiceError(error, at: source)
        }
    }

    static func openPostgres(
        _ address: PostgresAddress, logger: Logger
    ) async throws -> (database: any SQLDatabase, facts: PostgresFacts) {
        let database = try PostgresDatabase(PostgresSettings(address: address), logger: logger)
        return (database, try await database.verify())
    }

    /// Brings the schema to the newest step; returns the steps that were missing.
    static func migrate(_ database: any SQLDatabase, at source: DatabaseSource) async throws -> [Int] {
        do {
            return try await Migrator(Schema.migrations).migrate(database)
        } catch let error as SQLError {
            throw ServiceError(error, at: source)
        }
    }
}
