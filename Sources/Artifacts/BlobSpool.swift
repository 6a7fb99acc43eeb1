package import BlockingIO
package import Domain
import Glibc
package import NIOCore

/// A folder of this machine in which blobs wait that are on their way to a store elsewhere. Nothing in it lasts: what a
/// crash left is deleted when the folder is opened again.
package final class BlobSpool: Sendable {
    private let root: OpenFile
    private let pool: BlockingPool

    package init(directory: String, pool: BlockingPool) async throws {
        self.pool = pool
        root = try await pool.run("cannot open the folder \(directory)") {
            if mkdir(directory, 0o700) != 0 && errno != EEXIST { throw SystemCallError("mkdir", on: directory) }
            let root = try OpenFile(folder: directory)
            try IncomingFolder.prepare(in: root)
            return root
        }
    }

    package func begin() async throws -> SpooledBlobs {
        let root = root
        let folder = try await pool.run("cannot begin to store blobs") { try IncomingFolder(in: root) }
        return SpooledBlobs(batch: DirectoryBlobBatch(folder: folder, root: root, pool: pool))
    }
}

/// Blobs of one batch that wait.
package final class SpooledBlobs: Sendable {
    private let batch: DirectoryBlobBatch

    init(batch: DirectoryBlobBatch) {
        self.batch = batch
    }

    package func makeWriter() async throws -> any BlobWriter {
        try await batch.makeWriter()
    }

    /// Those that are finished.
    package var digests: [ContentDigest] { Array(batch.finished.keys) }

    /// `nil` when it is not one of these.
    package func read(_ digest: ContentDigest, limit: Int) async throws -> [UInt8]? {
        guard let name = batch.finished[digest] else { return nil }
        return try await batch.pool.run("cannot read the blob \(digest)") { [folder = batch.folder.folder] in
            try BlobFile.open(digest, at: name, in: folder)?.readAll(limit: limit)
        }
    }

    package func sizeInBytes(of digest: ContentDigest) async throws -> Int64 {
        try await onFile(digest) { Int64(try $0.status().st_size) }
    }

    /// A part of the content; shorter at its end. It is not checked against the name.
    package func bytes(of digest: ContentDigest, from offset: Int64, count: Int) async throws -> ByteBuffer {
        try await onFile(digest) { file in
            try SystemCallError.check("lseek", on: file.path) { lseek(file.descriptor, off_t(offset), SEEK_SET) }
            let rest = max(0, Int(try file.status().st_size) - Int(offset))
            var buffer = ByteBufferAllocator().buffer(capacity: min(count, rest))
            if rest > 0 {
                try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: min(count, rest)) { bytes in
                    try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(min(count, rest))))
                }
            }
            return buffer
        }
    }

    /// Throws everything away, in a cancelled task too.
    package func discard() async {
        await batch.discard()
    }

    /// What waited here is not any more what it was.
    package func damaged(_ digest: ContentDigest) -> ServiceError {
        ServiceError(
            .internalError, "the content \(digest) was damaged while it waited on this machine",
            nextStep: "Check the disk that holds \(batch.folder.folder.path), and send the content again.")
    }

    private func onFile<Value: Sendable>(
        _ digest: ContentDigest, _ body: @escaping @Sendable (OpenFile) throws -> Value
    ) async throws -> Value {
        guard let name = batch.finished[digest] else {
            throw ServiceError(.internalError, "the blob \(digest) is not on its way")
        }
        return try await batch.pool.run("cannot read the blob \(digest)") { [folder = batch.folder.folder] in
            try body(OpenFile(name, flags: O_RDONLY, in: folder))
        }
    }
}
