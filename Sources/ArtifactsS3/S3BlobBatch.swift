import Artifacts
import Domain
import NIOCore
import Synchronization

/// Blobs that wait on this machine until all of them are sent.
final class S3BlobBatch: BlobBatch {
    private let spooled: SpooledBlobs
    private let store: S3BlobStore
    private let isCommitted = Mutex(false)

    init(spooled: SpooledBlobs, store: S3BlobStore) {
        self.spooled = spooled
        self.store = store
    }

    func makeWriter() async throws -> any BlobWriter {
        try await spooled.makeWriter()
    }

    func read(_ digest: ContentDigest, limit: Int) async throws -> [UInt8] {
        if let bytes = try await spooled.read(digest, limit: limit) { return bytes }
        return try await store.read(digest, limit: limit)
    }

    /// A failure on the way leaves whole blobs that nobody asks for.
    func commit() async throws {
        let isFirst = isCommitted.withLock { isCommitted in
            defer { isCommitted = true }
            return !isCommitted
        }
        guard isFirst else { throw ServiceError(.internalError, "the batch of blobs has ended") }
        let (store, spooled) = (store, spooled)
        _ = try await store.inParallel(spooled.digests, width: 8) { digest in
            try await S3Upload(digest: digest, spooled: spooled, store: store).run()
        }
        await spooled.discard()
    }

    func discard() async {
        await spooled.discard()
    }
}
