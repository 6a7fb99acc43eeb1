package import Domain
import NIOCore

extension Manifest {
    /// The largest canonical text that is stored, so that nobody has to read more than this to know what it lists.
    package static let maximumTextSizeInBytes = 64 << 20

    /// The SHA-256 of ``canonicalText``: the name of a version's content, and of the blob that holds the manifest.
    package var digest: ContentDigest { ContentDigest(hashing: canonicalBytes) }

    /// The manifest as a blob. Throws `validationFailed` with rule `manifest-size` when it is too large to be one.
    fileprivate var encoded: [UInt8] {
        get throws {
            let bytes = canonicalBytes
            guard bytes.count <= Self.maximumTextSizeInBytes else {
                throw ServiceError(
                    .validationFailed,
                    "the list of the site's files has more than \(Self.maximumTextSizeInBytes) bytes",
                    rule: "manifest-size", nextStep: "Use fewer files or shorter names.")
            }
            return bytes
        }
    }
}

extension BlobStore {
    /// Adds the manifest durably, under its own digest.
    @discardableResult
    package func putManifest(_ manifest: Manifest) async throws -> ContentDigest {
        try await put(manifest.encoded)
    }

    /// Reads a manifest that was stored. Throws as ``read(_:limit:)`` does, and `validationFailed` when the blob is not
    /// a manifest or breaks `limits`.
    package func manifest(_ digest: ContentDigest, limits: Manifest.Limits = .standard) async throws -> Manifest {
        let bytes = try await read(digest, limit: Manifest.maximumTextSizeInBytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ServiceError(.validationFailed, "the manifest \(digest) is not text", rule: "manifest-format")
        }
        return try Manifest(canonicalText: text, limits: limits)
    }
}

extension BlobBatch {
    /// Adds one small blob to the batch.
    @discardableResult
    package func add(_ bytes: [UInt8]) async throws -> StoredBlob {
        let writer = try await makeWriter()
        try await writer.write(ByteBuffer(bytes: bytes))
        return try await writer.finish(expecting: nil)
    }

    /// Adds the manifest, under its own digest, so that it becomes durable together with the files it lists.
    @discardableResult
    package func addManifest(_ manifest: Manifest) async throws -> ContentDigest {
        try await add(manifest.encoded).digest
    }
}
