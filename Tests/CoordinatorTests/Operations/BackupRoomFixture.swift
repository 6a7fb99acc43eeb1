import Artifacts
import BlockingIO
import Database
import DatabasePostgres
import DatabaseSQLite
import Domain
import FleetIdentity
import Foundation
import Logging
import Persistence
import TestSupport

@testable import Coordinator

/// Where a backup is taken from and brought to.
enum BackupDatabase: CaseIterable, Sendable {
    case sqlite
    case postgres

    /// An empty database without tables.
    func with<Value>(_ folder: String, _ body: (any SQLDatabase) async throws -> Value) async throws -> Value {
        switch self {
        case .sqlite:
            return try await body(
                try SQLiteDatabase(path: "\(folder)/\(UInt32.random(in: .min ... .max)).sqlite"))
        case .postgres:
            let server = try PostgresServer.shared()
            let name = try server.makeDatabase()
            defer { try? server.dropDatabase(name) }
            let database = try PostgresDatabase(
                PostgresSettings(address: try PostgresAddress(server.address(of: name))), logger: BackupRooms.quiet)
            _ = try? await database.verify()
            return try await body(database)
        }
    }
}

/// A database with a site, a folder of blobs, keys, and a place for backups.
struct BackupRooms: Sendable {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    static let passphrase = "correct horse battery"

    let folder: String
    let database: any SQLDatabase
    let blobs: DirectoryBlobStore
    let authority: CertificateAuthority
    let pool: BlockingPool
    let clock: Installation.Clock

    static func open(_ folder: String, _ database: any SQLDatabase) async throws -> BackupRooms {
        _ = try await Migrator(Schema.migrations).migrate(database)
        let pool = BlockingPool(label: "test", width: 4)
        let clock = Installation.Clock()
        let authority = try CertificateAuthority.loadOrCreate(inDirectory: folder + "/ca", at: clock.now())
        _ = try VersionSigner.loadOrCreate(inDirectory: folder + "/ca")
        let rooms = BackupRooms(
            folder: folder, database: database,
            blobs: try await DirectoryBlobStore(directory: folder + "/blobs", pool: pool), authority: authority,
            pool: pool, clock: clock)
        try await rooms.database.withTransaction { transaction in
            try await transaction.execute(
                """
                INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                VALUES ('user-1', 'ann@example.org', 'Ann', 'user', '-', 0)
                """)
            try await transaction.execute(
                """
                INSERT INTO site (id, owner_id, slug, name, kind, last_release, fence, created_at)
                VALUES ('site-1', 'user-1', 'bakery', 'Bäckerei', 'static', 0, 7, 0)
                """)
        }
        for number in 0..<5 { _ = try await rooms.blobs.put(Array("content \(number)".utf8)) }
        return rooms
    }

    func vault(_ passphrase: String = BackupRooms.passphrase, at place: String? = nil) async throws -> BackupVault {
        try await vault(passphrase, in: try await FolderBackupPlace(directory: place ?? folder + "/place", pool: pool))
    }

    func vault(_ passphrase: String = BackupRooms.passphrase, in place: any BackupPlace) async throws -> BackupVault {
        let scratch = folder + "/scratch"
        try DurableFolder(path: scratch).create()
        return BackupVault(place: place, passphrase: try Passphrase(passphrase), scratch: scratch, pool: pool)
    }

    var files: [BackupFile] {
        get throws {
            let keys = DurableFolder(path: folder + "/ca")
            return try keys.names().map { BackupFile(name: "ca/" + $0, content: try keys.read($0) ?? []) }
        }
    }

    func backUp(_ vault: BackupVault, copiesBlobs: Bool = true, days: Int = 30) async throws -> BackupRun {
        try await BackupService(
            database: database, blobs: blobs, vault: vault, program: "test", clock: clock, logger: Self.quiet
        ).run(files: try files, copiesBlobs: copiesBlobs, keepingDays: days)
    }

    func restore(
        _ vault: BackupVault, into database: any SQLDatabase, blobs: DirectoryBlobStore? = nil
    ) async throws -> BackupRestore.Report {
        try await BackupRestore(vault: vault, clock: clock, logger: Self.quiet).run(
            try await vault.newest(), into: database, blobs: blobs)
    }

    func drill(_ vault: BackupVault) async throws -> BackupRun {
        try await BackupDrill(
            vault: vault, blobs: blobs, authority: authority, openScratch: { try SQLiteDatabase(path: $0) },
            clock: clock, logger: Self.quiet
        ).run()
    }
}
