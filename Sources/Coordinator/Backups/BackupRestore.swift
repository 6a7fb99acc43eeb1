package import Artifacts
import BlockingIO
package import Database
package import Domain
import FleetIdentity
package import Logging
import Persistence

/// Brings a backup back.
package struct BackupRestore: Sendable {
    /// What was brought back.
    package struct Report: Sendable {
        package let name: BackupName
        package let createdAt: Timestamp
        /// The version of the program that made it.
        package let program: String
        package let files: [BackupFile]
        package let rows: Int
        /// How many the backup lists.
        package let blobs: Int
        /// How many were put into the store.
        package var broughtBlobs = 0
        /// Listed, and not in the store now.
        package var missingBlobs: [ContentDigest] = []
        package let incarnation: Incarnation
    }

    private let vault: BackupVault
    private let clock: any WallClock
    private let logger: Logger

    package init(vault: BackupVault, clock: any WallClock, logger: Logger) {
        self.vault = vault
        self.clock = clock
        self.logger = logger
    }

    /// Puts the rows of a backup into an empty `database`, and then puts its memory in doubt: the coordinator that opens it
    /// is in recovery until an operator accepts, and gives out no fence that was given out before. With `blobs` the content
    /// that the backup has and the store lacks is brought back as well. The files are returned, and written by the caller.
    ///
    /// `sidecar` is what this machine remembers, if it is the same as before.
    package func run(
        _ name: BackupName, into database: any SQLDatabase, blobs: (any BlobInventory)?, sidecar: Sidecar? = nil
    ) async throws -> Report {
        let remembered = try await sidecar?.load()
        var report = try await vault.withBackup(name) { source in
            let head = try await source.head()
            // A first pass finds out whether all of it can be read, before anything is changed.
            let (files, listed, summary) = try await contents(of: source)
            let migrations = Schema.migrations.filter { $0.number <= head.schema }
            guard let newest = migrations.last, newest.number == head.schema else {
                throw ServiceError(
                    .failedPrecondition,
                    "the backup was made by version \(head.program), whose database is newer than this program",
                    rule: "restore-newer", nextStep: "Install version \(head.program) or a later one.")
            }
            _ = try await Migrator(migrations).migrate(database)
            let now = clock.now()
            let (rows, incarnation) = try await database.withTransaction { transaction in
                let rows = try await load(source, tables: Schema.tables(of: migrations), into: transaction)
                let stores = Stores()
                let record = try await stores.installation.find(in: transaction)
                let highest = max(record.incarnation, remembered?.incarnation ?? .first)
                let next = try highest.next()
                try await stores.installation.raise(to: next, in: transaction)
                _ = try await stores.installation.enterRecovery(
                    because: "The database was restored from the backup of \(Self.time(head)).", at: now,
                    in: transaction)
                return (rows, next)
            }
            guard rows == summary.rows else { throw BackupPiece.unreadable("another number of rows than it says") }
            _ = try await Migrator(Schema.migrations).migrate(database)
            try await database.withTransaction { transaction in
                try await AuditTrail(stores: Stores()).record(
                    .backupRestored, on: "database", by: .operatorHere,
                    ["name": name.text, "incarnation": incarnation.description, "rows": String(rows)], at: now,
                    in: transaction)
            }
            var report = Report(
                name: name, createdAt: Timestamp(millisecondsSinceEpoch: head.createdAt), program: head.program,
                files: files, rows: rows, blobs: listed.count, incarnation: incarnation)
            if let blobs { try await bring(listed, hasContent: head.hasBlobs, into: blobs, &report) }
            return report
        }
        report.missingBlobs.sort()
        logger.notice(
            "Restored a backup",
            metadata: ["name": "\(name)", "rows": "\(report.rows)", "missing": "\(report.missingBlobs.count)"])
        return report
    }

    /// The keys and the configuration in a backup, so that it can be seen whether there is room for them.
    package func files(of name: BackupName) async throws -> [BackupFile] {
        try await vault.withBackup(name) { try await contents(of: $0).files }
    }

    private static func time(_ head: BackupPiece.Head) -> String {
        Timestamp(millisecondsSinceEpoch: head.createdAt).description
    }

    private func contents(
        of source: BackupSource
    ) async throws -> (files: [BackupFile], blobs: [ContentDigest], summary: BackupPiece.Summary) {
        var files: [BackupFile] = []
        var blobs: [ContentDigest] = []
        var summary = BackupPiece.Summary()
        try await source.read { piece in
            switch piece {
            case .file(let file): files.append(file)
            case .blobs(let page): blobs += page.map(\.digest)
            case .end(let end): summary = end
            case .head, .dump: break
            }
        }
        return (files, blobs, summary)
    }

    /// From the beginning, whenever it is called: a transaction may run twice.
    private func load(
        _ source: BackupSource, tables: [SchemaTable], into transaction: any SQLTransaction
    ) async throws -> Int {
        let reader = try await source.pool.run { [path = source.path, keys = source.keys] in
            try SealedFileReader(path: path, purpose: BackupVault.backupPurpose, keys: keys)
        }
        return try await DatabaseLoad(tables: tables).run(in: transaction) {
            while let piece = try await source.pool.run({ try BackupPiece.next { try reader.read($0) } }) {
                if case .dump(let dump) = piece { return dump }
            }
            return nil
        }
    }

    private func bring(
        _ listed: [ContentDigest], hasContent: Bool, into blobs: any BlobInventory, _ report: inout Report
    ) async throws {
        var rest = listed[...]
        while !rest.isEmpty {
            let page = Array(rest.prefix(200))
            rest = rest.dropFirst(page.count)
            var missing = try await blobs.missing(among: page)
            if hasContent, !missing.isEmpty {
                let batch = try await blobs.makeBatch()
                do {
                    var absent: [ContentDigest] = []
                    for digest in missing {
                        do {
                            try await vault.bring(digest, into: batch)
                            report.broughtBlobs += 1
                        } catch let error as ServiceError where error.code == .notFound {
                            absent.append(digest)
                        }
                    }
                    try await batch.commit()
                    missing = absent
                } catch {
                    await batch.discard()
                    throw error
                }
            }
            report.missingBlobs += missing
        }
    }
}
