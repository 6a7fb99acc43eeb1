package import Artifacts
package import BlockingIO
package import Domain
package import FleetIdentity
import Glibc
import NIOCore

/// The backups in one place, all under one passphrase.
///
/// ```
/// passphrase.pws                           says whether a passphrase is the right one
/// pagewright-20261121T190000Z-<6 hex>.pwb  one backup: keys, configuration, rows, list of blobs
/// blobs/ab/<sha256>.pws                    the content of one blob, for all backups that list it
/// ```
package struct BackupVault: Sendable {
    private static let checkName = "passphrase.pws"
    static let backupPurpose = "backup"
    private static let blobPurpose = "blob"
    private static let checkPurpose = "check"

    package let place: any BackupPlace
    /// A folder of this machine for what is on its way.
    let scratch: String
    let pool: BlockingPool
    private let passphrase: Passphrase
    let keys: SealKeyRing

    package init(place: any BackupPlace, passphrase: Passphrase, scratch: String, pool: BlockingPool) {
        self.place = place
        self.passphrase = passphrase
        self.scratch = scratch
        self.pool = pool
        keys = SealKeyRing(passphrase: passphrase)
    }

    package func names() async throws -> [BackupName] {
        try await place.names(beginningWith: "").compactMap { BackupName($0) }.sorted()
    }

    package func newest() async throws -> BackupName {
        guard let name = try await names().last else {
            throw ServiceError(
                .notFound, "there is no backup in \(place.address)", field: "from",
                nextStep: "Check the place, or make one: pagewright-coordinator backup --to \(place.address).")
        }
        return name
    }

    /// A new key for one backup. Refuses another passphrase than that of the backups which are there: blobs are shared
    /// between them.
    func open() async throws -> SealKey {
        let key = try await pool.run { [passphrase] in try SealKey(passphrase: passphrase) }
        do {
            try await withScratchFile { file in
                try await place.fetch(Self.checkName, to: file)
                try await pool.run { [keys] in
                    _ = try SealedFileReader(path: file, purpose: Self.checkPurpose, keys: keys).read(1)
                }
            }
        } catch let error as ServiceError where error.code == .notFound {
            try await withScratchFile { file in
                try await pool.run {
                    let writer = try SealedFileWriter(path: file, purpose: Self.checkPurpose, key: key)
                    try writer.write([1])
                    _ = try writer.finish()
                }
                try await place.put(file, as: Self.checkName)
            }
        } catch let error as ServiceError where error.rule == "passphrase-wrong" {
            throw ServiceError(
                .failedPrecondition, "the backups in \(place.address) are under another passphrase",
                field: "passphrase", rule: "passphrase-other",
                nextStep: "Use that passphrase, or another place for backups under this one.", cause: error)
        }
        return key
    }

    /// A name for a file that is gone when `body` is over.
    func withScratchFile<Value: Sendable>(_ body: (String) async throws -> Value) async throws -> Value {
        let file = "\(scratch)/\(getpid())-\(UInt64.random(in: .min ... .max))"
        do {
            let value = try await body(file)
            await remove(file)
            return value
        } catch {
            await remove(file)
            throw error
        }
    }

    private func remove(_ file: String) async { await pool.runEvenIfCancelled { _ = unlink(file) } }

    // MARK: Blobs

    private static func name(of digest: ContentDigest) -> String {
        "blobs/\(digest.text.prefix(2))/\(digest.text).pws"
    }

    /// Those whose content is here.
    func blobs() async throws -> Set<ContentDigest> {
        Set(
            try await place.names(beginningWith: "blobs/").compactMap { name in
                name.hasSuffix(".pws") ? ContentDigest(String(name.dropLast(4).suffix(64))) : nil
            })
    }

    func keep(_ digest: ContentDigest, from store: any BlobStore, key: SealKey) async throws {
        try await withScratchFile { file in
            let writer = try await pool.run { try SealedFileWriter(path: file, purpose: Self.blobPurpose, key: key) }
            try await store.forEachPiece(of: digest, ofAtMost: 1 << 20) { piece in
                let bytes = Array(piece.readableBytesView)
                try await pool.run { try writer.write(bytes) }
            }
            _ = try await pool.run { try writer.finish() }
            try await place.put(file, as: Self.name(of: digest))
        }
    }

    /// Puts a blob into a batch; its content is compared with its name.
    func bring(_ digest: ContentDigest, into batch: any BlobBatch) async throws {
        try await withScratchFile { file in
            try await place.fetch(Self.name(of: digest), to: file)
            let reader = try await pool.run { [keys] in
                try SealedFileReader(path: file, purpose: Self.blobPurpose, keys: keys)
            }
            let writer = try await batch.makeWriter()
            while true {
                let bytes = try await pool.run { try reader.read(1 << 20) }
                if bytes.isEmpty { break }
                try await writer.write(ByteBuffer(bytes: bytes))
            }
            _ = try await writer.finish(expecting: digest)
        }
    }

    /// Whether the content of a blob is here and what its name says.
    func isWhole(_ digest: ContentDigest) async throws -> Bool {
        do {
            return try await withScratchFile { file in
                try await place.fetch(Self.name(of: digest), to: file)
                return try await pool.run { [keys] () throws -> Bool in
                    let reader = try SealedFileReader(path: file, purpose: Self.blobPurpose, keys: keys)
                    var hasher = ContentHasher()
                    while true {
                        let bytes = try reader.read(1 << 20)
                        if bytes.isEmpty { return hasher.finish() == digest }
                        hasher.update(ByteBuffer(bytes: bytes))
                    }
                }
            }
        } catch let error as ServiceError where error.code == .notFound || error.rule == "seal-damaged" {
            return false
        }
    }

    func removeBlob(_ digest: ContentDigest) async throws { try await place.remove(Self.name(of: digest)) }

    // MARK: Backups

    /// Reads a backup from its beginning to its end.
    func withBackup<Value: Sendable>(
        _ name: BackupName, _ body: (BackupSource) async throws -> Value
    ) async throws -> Value {
        try await withScratchFile { file in
            do {
                try await place.fetch(name.text, to: file)
            } catch let error as ServiceError where error.code == .notFound {
                throw ServiceError(
                    .notFound, "there is no backup \(name) in \(place.address)", field: "from",
                    nextStep: "List them: pagewright-coordinator backup list --from \(place.address).")
            }
            return try await body(BackupSource(path: file, keys: keys, pool: pool))
        }
    }
}

/// A backup that lies here as a file and may be read more than once.
struct BackupSource: Sendable {
    let path: String
    let keys: SealKeyRing
    let pool: BlockingPool

    /// Hands out every piece; the first is a head and the last an end, or it throws.
    func read(_ body: (BackupPiece) async throws -> Void) async throws {
        let reader = try await pool.run { [path, keys] in
            try SealedFileReader(path: path, purpose: BackupVault.backupPurpose, keys: keys)
        }
        var isFirst = true
        var isOver = false
        while let piece = try await pool.run({ try BackupPiece.next { try reader.read($0) } }) {
            guard !isOver else { throw BackupPiece.unreadable("something after its end") }
            if isFirst {
                guard case .head(let head) = piece, head.format == 1 else {
                    throw BackupPiece.unreadable("a beginning of another format")
                }
            }
            isFirst = false
            if case .end = piece { isOver = true }
            try await body(piece)
        }
        guard isOver else { throw BackupPiece.unreadable("no end") }
    }

    func head() async throws -> BackupPiece.Head {
        let reader = try await pool.run { [path, keys] in
            try SealedFileReader(path: path, purpose: BackupVault.backupPurpose, keys: keys)
        }
        let first = try await pool.run { try BackupPiece.next { try reader.read($0) } }
        guard case .head(let head) = first, head.format == 1 else {
            throw BackupPiece.unreadable("a beginning of another format")
        }
        return head
    }
}
