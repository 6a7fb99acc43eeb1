package import Artifacts
import BlockingIO
package import Database
package import Domain
package import FleetIdentity
import Glibc
package import Logging
import Persistence

/// Proves that the newest backup can be restored, by restoring it into a place of its own.
package struct BackupDrill: Sendable {
    /// How many blobs are looked at.
    private static let sample = 25

    private let vault: BackupVault
    private let blobs: any BlobInventory
    private let authority: CertificateAuthority
    private let openScratch: @Sendable (_ path: String) throws -> any SQLDatabase
    private let clock: any WallClock
    private let logger: Logger

    /// `openScratch` opens a new database file; `blobs` and `authority` are the ones in use.
    package init(
        vault: BackupVault, blobs: any BlobInventory, authority: CertificateAuthority,
        openScratch: @escaping @Sendable (_ path: String) throws -> any SQLDatabase, clock: any WallClock,
        logger: Logger
    ) {
        self.vault = vault
        self.blobs = blobs
        self.authority = authority
        self.openScratch = openScratch
        self.clock = clock
        self.logger = logger
    }

    /// What was seen. A backup that cannot be restored is a result, too, and not an error.
    package func run() async throws -> BackupRun {
        let start = clock.now()
        let folder = "\(vault.scratch)/drill-\(getpid())-\(UInt64.random(in: .min ... .max))"
        let pool = vault.pool
        try await pool.run { try DurableFolder(path: folder).create() }
        var name = ""
        var rows = 0
        var count = 0
        var problem: String?
        do {
            let newest = try await vault.newest()
            name = newest.text
            let report = try await BackupRestore(vault: vault, clock: clock, logger: logger).run(
                newest, into: try openScratch(folder + "/drill.sqlite"), blobs: nil)
            rows = report.rows
            try await requireKeys(report.files, in: folder)
            count = try await checkBlobs(of: newest)
        } catch let error as ServiceError {
            problem = error.cause.map { "\(error.message) (\($0))" } ?? error.message
        } catch is CancellationError {
            await pool.runEvenIfCancelled { Self.remove(folder) }
            throw CancellationError()
        } catch {
            problem = "\(error)"
        }
        await pool.runEvenIfCancelled { Self.remove(folder) }
        let end = clock.now()
        if let problem {
            logger.error(
                "The newest backup could not be restored", metadata: ["name": "\(name)", "error": "\(problem)"])
        } else {
            logger.notice("Proved that the newest backup can be restored", metadata: ["name": "\(name)"])
        }
        return BackupRun(
            id: BackupRunID(at: start), kind: .drill, isGood: problem == nil, startedAt: start, finishedAt: end,
            place: vault.place.address, name: name, sizeInBytes: 0, rows: rows, blobs: count,
            detail: problem ?? "Every row was read again and compared; the keys fit; \(count) blobs were looked at.")
    }

    private static func remove(_ folder: String) { try? FileTree.remove(folder) }

    /// The authority in the backup is the one in use, whole, and the key that signs versions can be read.
    private func requireKeys(_ files: [BackupFile], in folder: String) async throws {
        let place = folder + "/ca"
        let pin = try await vault.pool.run { [clock] in
            let target = DurableFolder(path: place)
            try target.create()
            for file in files where file.name.hasPrefix("ca/") {
                try target.write(file.content, to: String(file.name.dropFirst(3)))
            }
            guard files.contains(where: { $0.name == "ca/ca.key" }),
                files.contains(where: { $0.name == "ca/version.key" })
            else {
                throw ServiceError(.validationFailed, "the backup lacks the fleet's keys", rule: "backup-keys")
            }
            _ = try VersionSigner.loadOrCreate(inDirectory: place)
            return try CertificateAuthority.loadOrCreate(inDirectory: place, at: clock.now()).pin
        }
        guard pin == authority.pin else {
            throw ServiceError(
                .validationFailed, "the backup has the keys of another fleet, or of before a rotation",
                rule: "backup-keys", nextStep: "Make a new backup.")
        }
    }

    /// Looks at some of the blobs, chosen anew each time: in the backup when it has their content, otherwise in the store.
    private func checkBlobs(of name: BackupName) async throws -> Int {
        let (listed, hasContent) = try await vault.withBackup(name) { source in
            var listed: [ContentDigest] = []
            try await source.read { piece in
                if case .blobs(let page) = piece { listed += page.map(\.digest) }
            }
            return (listed, try await source.head().hasBlobs)
        }
        let sample = listed.shuffled().prefix(Self.sample)
        var absent = 0
        for digest in sample {
            let isWhole: Bool
            if hasContent {
                isWhole = try await vault.isWhole(digest)
            } else {
                do {
                    // Hashed on the way.
                    try await blobs.forEachPiece(of: digest, ofAtMost: 1 << 20) { _ in }
                    isWhole = true
                } catch let error as ServiceError where error.code == .notFound {
                    // Deleted by the garbage collection since; what a version needs is not.
                    absent += 1
                    isWhole = true
                } catch let error as ServiceError where error.code == .internalError {
                    isWhole = false
                }
            }
            guard isWhole else {
                throw ServiceError(
                    .validationFailed, "the content \(digest.abbreviated) is missing or damaged", rule: "backup-blob",
                    nextStep: "Make a new backup, and look at: pagewright-coordinator blobs verify.")
            }
        }
        // The garbage collection does not take most of what there was.
        guard absent * 2 <= sample.count else {
            throw ServiceError(
                .validationFailed, "\(absent) of \(sample.count) contents that the backup lists are not in the store",
                rule: "backup-blob", nextStep: "Bring the store of blobs back, or name it with --blobs.")
        }
        return sample.count
    }
}
