import Artifacts
import Domain
import NIOCore
import NIOHTTP1

/// One answer of a store, on its way into a batch: only 200, only as long as it says, and only what its name says.
struct LentAnswer {
    let digest: ContentDigest
    let batch: any BlobBatch
    private var open: (writer: any BlobWriter, length: Int64)?
    private var received: Int64 = 0

    init(digest: ContentDigest, batch: any BlobBatch) {
        self.digest = digest
        self.batch = batch
    }

    /// Takes the next part; returns the size of the blob with the last one.
    mutating func take(_ part: HTTPClientResponsePart) async throws -> Int64? {
        switch part {
        case .head(let head):
            guard open == nil else { throw Self.refuse("answered twice") }
            guard head.status == .ok else { throw Self.refuse("answered \(head.status.code)") }
            guard let length = head.headers.first(name: "content-length").flatMap({ Int64($0) }),
                (0...Manifest.Limits.standard.fileSizeInBytes).contains(length)
            else { throw Self.refuse("does not say how long the content is, or it is too long") }
            open = (try await batch.makeWriter(), length)
            return nil
        case .body(let bytes):
            guard let open else { throw Self.refuse("began in the middle") }
            received += Int64(bytes.readableBytes)
            guard received <= open.length else { throw Self.refuse("sent more than it said") }
            try await open.writer.write(bytes)
            return nil
        case .end:
            guard let open, received == open.length else { throw Self.refuse("sent less than it said") }
            _ = try await open.writer.finish(expecting: digest)
            return open.length
        }
    }

    static func refuse(_ what: String) -> ServiceError {
        ServiceError(
            .unavailable, "the store of the blobs \(what)", rule: "blob-address",
            nextStep: "What it does not give comes from the coordinator. Check that this host reaches the store.")
    }
}
