package import Artifacts
package import BlockingIO
package import Domain
package import NIOCore
import Synchronization

/// Exports a version as a .tar.gz file. The same version makes the same bytes, every time.
package struct ArchiveWriter: Sendable {
    private static let pieceSize = 256 << 10
    private let pool: BlockingPool

    package init(pool: BlockingPool) {
        self.pool = pool
    }

    /// Hands the file to `receive` in order, piece by piece, each of less than about 1 MiB, while it is made. An error, of
    /// the store or of `receive`, ends it: a file that was received in part must be thrown away.
    package func write(
        _ manifest: Manifest, from store: any BlobStore, to receive: (ByteBuffer) async throws -> Void
    ) async throws {
        let packer = try await pool.run { Packer(Mutex(GzipCompressor())) }
        var pending = ByteBuffer()
        func add(_ bytes: ByteBuffer) async throws {
            pending.writeImmutableBuffer(bytes)
            guard pending.readableBytes >= Self.pieceSize else { return }
            let full = pending
            pending = ByteBuffer()
            let packed = try await pool.run { try packer.compress(full) }
            if packed.readableBytes > 0 { try await receive(packed) }
        }
        for entry in manifest.entries {
            try Task.checkCancellation()
            try await add(ByteBuffer(bytes: TarHeader(path: entry.path, sizeInBytes: entry.sizeInBytes).bytes))
            var size: Int64 = 0
            if entry.sizeInBytes <= Self.pieceSize {
                let content = try await store.read(entry.digest, limit: Self.pieceSize)
                size = Int64(content.count)
                try await add(ByteBuffer(bytes: content))
            } else {
                try await store.forEachPiece(of: entry.digest, ofAtMost: Self.pieceSize) { piece in
                    size += Int64(piece.readableBytes)
                    try await add(piece)
                }
            }
            guard size == entry.sizeInBytes else {
                throw ServiceError(
                    .internalError, "the content of \"\(entry.path)\" has \(size) bytes and not \(entry.sizeInBytes)")
            }
            try await add(ByteBuffer(bytes: TarHeader.padding(after: size)))
        }
        pending.writeBytes(TarHeader.endOfArchive)
        let end = pending
        let rest = try await pool.run { try packer.compress(end, isLast: true) }
        try await receive(rest)
    }
}

/// A compressor that is used in one job of the pool after the other.
private final class Packer: Sendable {
    private let compressor: Mutex<GzipCompressor>

    init(_ compressor: consuming sending Mutex<GzipCompressor>) {
        self.compressor = compressor
    }

    func compress(_ piece: ByteBuffer, isLast: Bool = false) throws -> ByteBuffer {
        try compressor.withLock { try $0.compress(piece, isLast: isLast) }
    }
}
