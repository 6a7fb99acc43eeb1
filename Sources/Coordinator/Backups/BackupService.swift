package import Artifacts
import BlockingIO
package import Database
package import Domain
import FleetIdentity
import Glibc
package import Logging
import Persistence

/// Makes backups of everything that cannot be made again.
package struct BackupService: Sendable {
    private let database: any SQLDatabase
    private let blobs: any BlobInventory
    private let vault: BackupVault
    private let program: String
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, blobs: any BlobInventory, vault: BackupVault, program: String,
        clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.blobs = blobs
        self.vault = vault
        self.program = program
        self.clock = clock
        self.logger = logger
    }

    /// Two at once would take each other's contents for forgotten ones. The lock goes with the descriptor. Blocks.
    private static func lock(_ folder: String) throws -> Int32 {
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError("open", on: folder) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ServiceError(
                .unavailable, "another backup is being made on this machine", rule: "backup-busy",
                nextStep: "Wait until it is over.")
        }
        return descriptor
    }

    /// Makes one backup of one instant, while everything goes on. `files` are the keys and the configuration. With
    /// `copiesBlobs` the content of all blobs is there too: those that an earlier backup brought are not sent again.
    /// Backups older than `days` go when this one is there.
    package func run(files: [BackupFile], copiesBlobs: Bool, keepingDays days: Int) async throws -> BackupRun {
        let start = clock.now()
        let name = BackupName(at: start, mark: UInt32.random(in: .min ... .max))
        let pool = vault.pool
        let lock = try await pool.run { [scratch = vault.scratch] in try Self.lock(scratch) }
        defer { close(lock) }
        let key = try await vault.open()
        let (size, summary) = try await vault.withScratchFile { file in
            let writer = try await pool.run {
                try SealedFileWriter(path: file, purpose: BackupVault.backupPurpose, key: key)
            }
            let put: @Sendable (BackupPiece) async throws -> Void = { piece in
                let bytes = try piece.encoded()
                try await pool.run { try writer.write(bytes) }
            }
            var summary = BackupPiece.Summary()
            try await put(
                .head(
                    BackupPiece.Head(
                        createdAt: start.millisecondsSinceEpoch, program: program,
                        schema: Schema.migrations.last?.number ?? 0, hasBlobs: copiesBlobs)))
            for file in files { try await put(.file(file)) }
            summary.files = files.count
            summary.rows = try await DatabaseDump().read(database) { try await put(.dump($0)) }
            // After the rows: whatever they speak of was there before them.
            var present = copiesBlobs ? try await vault.blobs() : []
            try await blobs.forEachPage { page in
                try await put(
                    .blobs(page.map { BackupBlob(digest: $0.digest, sizeInBytes: $0.sizeInBytes) }))
                for blob in page {
                    summary.blobs += 1
                    summary.blobBytes += blob.sizeInBytes
                    guard copiesBlobs, !present.contains(blob.digest) else { continue }
                    try await keep(blob.digest, key: key)
                    present.insert(blob.digest)
                }
            }
            try await put(.end(summary))
            let size = try await pool.run { try writer.finish() }
            // Last of all: a backup that can be seen is whole.
            try await vault.place.put(file, as: name.text)
            return (size, summary)
        }
        do {
            try await expire(olderThan: days)
        } catch {
            logger.error("Could not remove old backups", metadata: ["error": "\(error)"])
        }
        let end = clock.now()
        logger.notice(
            "Made a backup",
            metadata: [
                "name": "\(name)", "place": "\(vault.place.address)", "bytes": "\(size)", "rows": "\(summary.rows)",
                "blobs": "\(summary.blobs)", "took": "\(end - start)",
            ])
        return BackupRun(
            id: BackupRunID(at: start), kind: .backup, isGood: true, startedAt: start, finishedAt: end,
            place: vault.place.address, name: name.text, sizeInBytes: size, rows: summary.rows, blobs: summary.blobs,
            detail: copiesBlobs ? "With the content of the blobs." : "With the list of the blobs.")
    }

    private func keep(_ digest: ContentDigest, key: SealKey) async throws {
        do {
            try await vault.keep(digest, from: blobs, key: key)
        } catch let error as ServiceError where error.code == .notFound {
            // Deleted since it was listed.
        } catch let error as ServiceError where error.code == .internalError {
            throw ServiceError(
                .internalError, "the content \(digest.abbreviated) is damaged and cannot be backed up",
                rule: "backup-damaged-blob",
                nextStep: "Find what is damaged: pagewright-coordinator blobs verify.", cause: error)
        }
    }

    /// Removes what is too old, and the blobs that no backup lists any more.
    private func expire(olderThan days: Int) async throws {
        let names = try await vault.names()
        let expired = BackupName.expired(among: names, olderThan: days, at: clock.now())
        guard !expired.isEmpty else { return }
        for name in expired { try await vault.place.remove(name.text) }
        var listed: Set<ContentDigest> = []
        for name in names where !expired.contains(name) {
            let found = try await vault.withBackup(name) { source in
                var found: Set<ContentDigest> = []
                try await source.read { piece in
                    if case .blobs(let page) = piece { found.formUnion(page.map(\.digest)) }
                }
                return found
            }
            listed.formUnion(found)
        }
        for digest in try await vault.blobs() where !listed.contains(digest) { try await vault.removeBlob(digest) }
        logger.notice("Removed old backups", metadata: ["backups": "\(expired.count)"])
    }
}
