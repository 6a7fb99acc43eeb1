import Artifacts
import ArtifactsS3
import Domain

/// Tries out a store of blobs, and says what it saw.
struct BlobCheck: Sendable {
    struct Outcome: Sendable, Encodable {
        let address: String
        /// How far this machine's clock is ahead of the store's, in seconds; `nil` for a folder.
        let clockSkewSeconds: Double?
    }

    let blobs: any BlobInventory
    let clock: any WallClock

    /// Puts, gets and deletes one small blob. Throws what does not work, with what to do about it.
    func run() async throws -> Outcome {
        try await blobs.probe()
        // Nobody has had this before, so nobody misses it when it is deleted again.
        let content = Array("Pagewright looks whether blobs can be stored: \(UInt64.random(in: .min ... .max))\n".utf8)
        let digest = try await blobs.put(content)
        let read = try await blobs.read(digest, limit: content.count)
        guard read == content else {
            throw ServiceError(.internalError, "\(blobs.address) gave back something else than was put into it")
        }
        let removal = try await blobs.remove(
            [digest], olderThan: .seconds(-3600), order: RemovalOrder(issuedAt: clock.now()))
        if let error = removal.error { throw error }
        guard removal.removed.blobs == 1, try await blobs.sizeInBytes(of: digest) == nil else {
            throw ServiceError(
                .failedPrecondition, "\(blobs.address) did not delete what it was told to delete", field: "blobs",
                nextStep: "Give the key the right to delete objects of the bucket.")
        }
        return Outcome(
            address: blobs.address,
            clockSkewSeconds: try await (blobs as? S3BlobStore)?.clockSkew().map {
                Double($0.wholeMilliseconds) / 1000
            })
    }
}
