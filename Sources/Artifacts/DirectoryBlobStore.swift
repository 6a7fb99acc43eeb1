package import BlockingIO
package import Domain
import Glibc
package import NIOCore
import Synchronization

/// Blobs as files: `ab/<sha256>` below one folder, which may be shared by several processes.
///
/// A blob is a regular file with the rights 0444, and with a modification time that stands for its content, so that a
/// hard link to it can be served as it is. What is on its way in is below `incoming/`; what a crash left there is
/// deleted when a store is opened.
package final class DirectoryBlobStore: BlobStore {
    let directory: String
    let root: OpenFile
    let pool: BlockingPool

    /// Opens the store in `directory`, which is made when it is not there. All calls that block run on `pool`.
    package init(directory: String, pool: BlockingPool) async throws {
        self.directory = directory
        self.pool = pool
        root = try await pool.run("cannot open the blob store \(directory)") {
            if mkdir(directory, 0o700) != 0 && errno != EEXIST { throw SystemCallError("mkdir", on: directory) }
            let root = try OpenFile(folder: directory)
            try IncomingFolder.prepare(in: root)
            return root
        }
    }

    /// Where the blob is when it is there: a file that must never be written to.
    package func path(of digest: ContentDigest) -> String { "\(directory)/\(digest.relativePath)" }

    package func missing(among digests: [ContentDigest]) async throws -> [ContentDigest] {
        let root = root
        return try await pool.run("cannot look for blobs") {
            try digests.filter { try Self.status(of: $0, in: root) == nil }
        }
    }

    package func sizeInBytes(of digest: ContentDigest) async throws -> Int64? {
        let root = root
        return try await pool.run("cannot look for a blob") {
            try Self.status(of: digest, in: root).map { Int64($0.st_size) }
        }
    }

    package func read(_ digest: ContentDigest, limit: Int) async throws -> [UInt8] {
        let root = root
        return try await pool.run("cannot read the blob \(digest)") {
            try Self.open(digest, in: root).readAll(limit: limit)
        }
    }

    package func forEachPiece(
        of digest: ContentDigest, ofAtMost pieceSize: Int, _ body: (ByteBuffer) async throws -> Void
    ) async throws {
        precondition(pieceSize > 0, "a piece has at least one byte")
        let root = root
        let attempt = "cannot read the blob \(digest)"
        let reader = try await pool.run(attempt) { BlobReader(try Self.open(digest, in: root)) }
        while true {
            try Task.checkCancellation()
            let piece = try await pool.run(attempt) { try reader.nextPiece(ofAtMost: pieceSize) }
            if piece.readableBytes == 0 { return }
            try await body(piece)
        }
    }

    package func makeBatch() async throws -> any BlobBatch {
        let root = root
        let folder = try await pool.run("cannot begin to store blobs") { try IncomingFolder(in: root) }
        return DirectoryBlobBatch(folder: folder, root: root, pool: pool)
    }

    /// Those of `digests` that are in the store with a content that is not what their name says. Reads all of it.
    package func damaged(among digests: [ContentDigest]) async throws -> [ContentDigest] {
        let root = root
        var damaged: [ContentDigest] = []
        for digest in digests {
            try Task.checkCancellation()
            let isWhole = try await pool.run("cannot check the blob \(digest)") {
                guard let file = try BlobFile.open(digest, at: digest.relativePath, in: root) else { return true }
                return try file.isWhole()
            }
            if !isWhole { damaged.append(digest) }
        }
        return damaged
    }

    /// Deletes the name; trees that link to the content keep it. For what nothing refers to, and for what is damaged.
    package func unlink(_ digest: ContentDigest) async throws {
        let root = root
        try await pool.run("cannot delete the blob \(digest)") {
            if unlinkat(root.descriptor, digest.relativePath, 0) != 0 && errno != ENOENT {
                throw SystemCallError("unlink", on: digest.relativePath)
            }
        }
    }

    static func open(_ digest: ContentDigest, in root: OpenFile) throws -> BlobFile {
        guard let file = try BlobFile.open(digest, at: digest.relativePath, in: root) else {
            throw ServiceError(.notFound, "the content \(digest) is not in the store")
        }
        return file
    }

    /// `nil` when the blob is not there.
    static func status(of digest: ContentDigest, in root: OpenFile) throws -> stat? {
        var status = stat()
        let result = digest.withRelativePath { fstatat(root.descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }
        guard result == 0 else {
            guard errno == ENOENT else { throw SystemCallError("fstatat", on: "\(root.path)/\(digest.relativePath)") }
            return nil
        }
        return status.st_mode & S_IFMT == S_IFREG ? status : nil
    }
}

/// A blob that is read piece by piece, in one job of the pool after the other.
private final class BlobReader: Sendable {
    private let file: Mutex<BlobFile>

    init(_ file: consuming sending BlobFile) {
        self.file = Mutex(file)
    }

    func nextPiece(ofAtMost limit: Int) throws -> ByteBuffer {
        try file.withLock { try $0.nextPiece(ofAtMost: limit) }
    }
}
