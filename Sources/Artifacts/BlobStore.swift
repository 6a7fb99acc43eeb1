package import Domain
package import NIOCore

/// Content under the name of its SHA-256. What is in it never changes; what is read is checked against its name.
package protocol BlobStore: Sendable {
    /// Those of `digests` that are not in the store, in the order asked.
    func missing(among digests: [ContentDigest]) async throws -> [ContentDigest]

    /// `nil` when it is not in the store.
    func sizeInBytes(of digest: ContentDigest) async throws -> Int64?

    /// The whole content. Throws ``ServiceError`` `notFound`, `payloadTooLarge` over `limit` bytes, or
    /// `internalError` when the content is not what its name says.
    func read(_ digest: ContentDigest, limit: Int) async throws -> [UInt8]

    /// Hands out the content in pieces of at most `pieceSize` bytes. Throws after the last piece when the whole was
    /// not what its name says, so a receiver must not believe a piece before the end.
    func forEachPiece(
        of digest: ContentDigest, ofAtMost pieceSize: Int, _ body: (ByteBuffer) async throws -> Void
    ) async throws

    /// Begins to add blobs. Nothing of a batch can be seen before ``BlobBatch/commit()``.
    func makeBatch() async throws -> any BlobBatch
}

/// Blobs that enter a store together: durable and visible all at once, for the price of one flush.
package protocol BlobBatch: Sendable {
    /// Begins one blob. Writers of one batch may be used one after the other or side by side.
    func makeWriter() async throws -> any BlobWriter
    /// The whole content of a blob that was finished in this batch or is in the store already; so that content can be
    /// checked before it is kept. Throws as ``BlobStore/read(_:limit:)`` does.
    func read(_ digest: ContentDigest, limit: Int) async throws -> [UInt8]
    /// Makes all finished blobs durable and visible. Call it once, after the last writer has finished.
    func commit() async throws
    /// Throws everything away. Harmless after a commit; to be called in every other case.
    func discard() async
}

/// One blob on its way into a batch.
package protocol BlobWriter: Sendable {
    /// Throws `storageFull` when the disk is.
    func write(_ piece: ByteBuffer) async throws
    /// Ends the blob. Throws `validationFailed` with rule `blob-digest` when it is not the `expected` one.
    func finish(expecting expected: ContentDigest?) async throws -> StoredBlob
}

/// What a writer made.
package struct StoredBlob: Sendable, Equatable {
    package let digest: ContentDigest
    package let sizeInBytes: Int64

    package init(digest: ContentDigest, sizeInBytes: Int64) {
        self.digest = digest
        self.sizeInBytes = sizeInBytes
    }
}

extension BlobStore {
    /// Adds one small blob durably and returns its name.
    @discardableResult
    package func put(_ bytes: [UInt8]) async throws -> ContentDigest {
        let batch = try await makeBatch()
        do {
            let writer = try await batch.makeWriter()
            try await writer.write(ByteBuffer(bytes: bytes))
            let stored = try await writer.finish(expecting: nil)
            try await batch.commit()
            return stored.digest
        } catch {
            await batch.discard()
            throw error
        }
    }
}
