import BlockingIO
import Domain
import Glibc
import NIOCore
import Synchronization

/// One file of a batch. Small pieces are gathered, so that a small blob costs one job of the pool.
final class DirectoryBlobWriter: BlobWriter {
    private struct State: ~Copyable {
        var gathered = ByteBuffer()
        var file: OpenFile?
        var hasher = ContentHasher()
    }

    private let name: String
    private let batch: DirectoryBlobBatch
    private let state = Mutex(State())

    init(name: String, batch: DirectoryBlobBatch) {
        self.name = name
        self.batch = batch
    }

    func write(_ piece: ByteBuffer) async throws {
        let isFull = state.withLock { state in
            if state.gathered.readableBytes == 0 {
                state.gathered = piece
            } else {
                state.gathered.writeImmutableBuffer(piece)
            }
            return state.gathered.readableBytes >= BlobFile.pieceSize
        }
        guard isFull else { return }
        try await batch.pool.run("cannot store a blob") { _ = try self.flush() }
    }

    func finish(expecting expected: ContentDigest?) async throws -> StoredBlob {
        try await batch.pool.run("cannot store a blob") {
            let file = try self.flush()
            let (digest, size) = self.state.withLock { ($0.hasher.finish(), $0.hasher.sizeInBytes) }
            guard expected == nil || expected == digest else {
                self.unlink()
                throw ServiceError(
                    .validationFailed, "the content is not \(expected!) but \(digest)", rule: "blob-digest",
                    nextStep: "Send it again; it was changed or cut off on the way.")
            }
            let times = [digest.fingerprintTime, digest.fingerprintTime]
            try SystemCallError.check("fchmod", on: file.path) { fchmod(file.descriptor, 0o444) }
            try SystemCallError.check("futimens", on: file.path) { futimens(file.descriptor, times) }
            try file.close()
            if try !self.batch.add(digest, name: self.name) { self.unlink() }
            return StoredBlob(digest: digest, sizeInBytes: size)
        }
    }

    /// Hashes and writes what was gathered. Blocks.
    private func flush() throws -> OpenFile {
        try state.withLock { state in
            let folder = batch.folder.folder
            let file = try state.file ?? OpenFile(name, flags: O_WRONLY | O_CREAT | O_EXCL, in: folder)
            state.file = file
            let gathered = state.gathered
            state.gathered = ByteBuffer()
            state.hasher.update(gathered)
            try gathered.withUnsafeReadableBytes { try file.write($0) }
            return file
        }
    }

    private func unlink() {
        unlinkat(batch.folder.folder.descriptor, name, 0)
    }
}
