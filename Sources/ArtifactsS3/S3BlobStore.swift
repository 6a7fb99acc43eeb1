package import Artifacts
package import BlockingIO
package import Domain
package import Logging
package import NIOCore
import NIOHTTP1

/// Blobs as objects of a bucket: `<prefix>blobs/ab/<sha256>`. Any number of coordinators may share one.
///
/// What is on its way in waits in a folder of this machine until its batch is committed; a blob that is there is never
/// sent again. Every request is signed, every content is named by its hash in the signature, and what is read is
/// hashed again.
package final class S3BlobStore: AddressableBlobStore {
    /// How others may read from the store by themselves.
    package struct Lending: Sendable {
        /// Certificates (PEM) of the authorities that ``S3Location/authorityFile`` names; empty without one.
        let authorities: String

        package init(authorities: String) {
            self.authorities = authorities
        }
    }

    /// How many small requests of one call run side by side.
    static let parallelism = 16

    let client: S3Client
    let spool: BlobSpool
    private let lending: Lending?
    /// So that all batches together hold few large bodies in memory.
    let largeBodies = AsyncSlots(3)

    /// `spool` is a folder of this machine with room for the uploads of the moment. Without `lending` nobody else reads.
    package init(
        location: S3Location, credentials: S3CredentialSource, spool directory: String, pool: BlockingPool,
        lending: Lending? = nil, clock: any WallClock, logger: Logger
    ) async throws {
        self.lending = lending
        client = S3Client(location: location, credentials: credentials, clock: clock, logger: logger)
        spool = try await BlobSpool(directory: directory, pool: pool)
    }

    package var location: S3Location { client.location }

    func key(of digest: ContentDigest) -> String { "\(keyPrefix)\(digest.text.prefix(2))/\(digest.text)" }

    var keyPrefix: String { location.prefix + "blobs/" }

    package func missing(among digests: [ContentDigest]) async throws -> [ContentDigest] {
        let present = Set(
            try await inParallel(Array(Set(digests))) { digest in
                try await self.head(digest) == nil ? nil : digest
            }.compactMap(\.self))
        return digests.filter { !present.contains($0) }
    }

    package func sizeInBytes(of digest: ContentDigest) async throws -> Int64? {
        try await head(digest)?.sizeInBytes
    }

    package func read(_ digest: ContentDigest, limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await S3Download(digest: digest, key: key(of: digest), client: client, limit: Int64(limit))
            .run(ofAtMost: 1 << 20) { bytes.append(contentsOf: $0.readableBytesView) }
        return bytes
    }

    package func forEachPiece(
        of digest: ContentDigest, ofAtMost pieceSize: Int, _ body: (ByteBuffer) async throws -> Void
    ) async throws {
        precondition(pieceSize > 0, "a piece has at least one byte")
        try await S3Download(digest: digest, key: key(of: digest), client: client, limit: .max)
            .run(ofAtMost: pieceSize, body)
    }

    package func address(of digest: ContentDigest, lifetime: Duration) async throws -> BlobAddress? {
        guard let lending, location.isSecure else { return nil }
        return BlobAddress(
            url: await client.presignedAddress(key: key(of: digest), lifetime: lifetime),
            authorities: lending.authorities)
    }

    package func makeBatch() async throws -> any BlobBatch {
        S3BlobBatch(spooled: try await spool.begin(), store: self)
    }

    /// What the server knows of an object without sending it.
    struct Head: Sendable {
        let sizeInBytes: Int64
        /// By the server's own clock.
        let age: Duration
    }

    /// `nil` when it is not there.
    func head(_ digest: ContentDigest, backoff: S3Backoff = .brisk) async throws -> Head? {
        do {
            let answer = try await client.send(
                S3Request(.head, .HEAD, key: key(of: digest)), backoff: backoff, expecting: [400, 403, 404])
            guard let size = answer.contentLength, let modified = answer.lastModified else {
                throw ServiceError(
                    .unavailable, "the store at \(location.authority) does not say how large an object is",
                    field: "blobs", rule: "s3-refused")
            }
            return Head(sizeInBytes: size, age: (answer.serverTime ?? client.clock.now()) - modified)
        } catch let failure as S3Failure where failure.status == 404 {
            return nil
        } catch let failure as S3Failure {
            // An answer to HEAD has no body, so it cannot say why. One byte of the same object can.
            var request = S3Request(.get, .GET, key: key(of: digest))
            request.headers.append(("range", "bytes=0-0"))
            _ = try await client.send(request, backoff: backoff, expecting: [416])
            throw await client.explained(failure)
        }
    }

    /// Runs `body` for all items, a few at a time; answers come in no order.
    func inParallel<Item: Sendable, Value: Sendable>(
        _ items: [Item], width: Int = S3BlobStore.parallelism, _ body: @escaping @Sendable (Item) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: Value.self) { group in
            var waiting = items[...]
            var results: [Value] = []
            for item in waiting.prefix(width) { group.addTask { try await body(item) } }
            waiting = waiting.dropFirst(width)
            while let value = try await group.next() {
                results.append(value)
                if let item = waiting.popFirst() { group.addTask { try await body(item) } }
            }
            return results
        }
    }
}
