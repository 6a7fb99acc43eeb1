package import Artifacts
package import Domain

/// The coordinator's blob service as a role sees it.
package protocol BlobTransfer: Sendable {
    /// A manifest, checked against its digest. The coordinator sends the difference to one of `known` when it can.
    func fetchManifest(
        _ digest: ContentDigest, for access: BlobAccess, known: [ContentDigest: Manifest]
    ) async throws -> FetchedManifest

    /// Brings these blobs into `store`, every hash checked. Fetches exactly what it is asked for.
    func fetch(
        _ digests: [ContentDigest], for access: BlobAccess, into store: any BlobStore
    ) async throws -> TransferSummary

    /// Those that the coordinator does not have.
    func findMissing(_ digests: [ContentDigest], for access: BlobAccess) async throws -> [ContentDigest]

    /// Sends these blobs from `store`.
    func upload(
        _ digests: [ContentDigest], from store: any BlobStore, for access: BlobAccess
    ) async throws -> TransferSummary
}

/// A manifest and what it cost to get it.
package struct FetchedManifest: Sendable {
    package let manifest: Manifest
    package let wireBytes: Int64

    package init(manifest: Manifest, wireBytes: Int64) {
        self.manifest = manifest
        self.wireBytes = wireBytes
    }
}

/// What a transfer moved.
package struct TransferSummary: Sendable, Equatable {
    package var files: Int
    package var bytes: Int64
    package static let zero = TransferSummary(files: 0, bytes: 0)

    package init(files: Int, bytes: Int64) {
        self.files = files
        self.bytes = bytes
    }

    package static func + (left: Self, right: Self) -> Self {
        Self(files: left.files + right.files, bytes: left.bytes + right.bytes)
    }
}
