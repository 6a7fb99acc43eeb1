import AgentProtocol
import Artifacts
import Domain
import FoundationEssentials
import NIOCore

/// Puts the pieces of a transfer together again. They must come in the order asked, whole, and as their names say.
struct IncomingBlobs {
    private struct Open {
        let digest: ContentDigest
        let size: Int64
        let writer: any BlobWriter
        var received: Int64 = 0
    }

    private var awaited: ArraySlice<ContentDigest>
    private let batch: any BlobBatch
    private let acceptsAddresses: Bool
    private var open: Open?
    /// The blobs that are complete.
    private(set) var summary = TransferSummary.zero
    /// Those that are to be had elsewhere.
    private(set) var lent = LentBlobs()

    init(asked: ArraySlice<ContentDigest>, batch: any BlobBatch, acceptsAddresses: Bool = false) {
        awaited = asked
        self.batch = batch
        self.acceptsAddresses = acceptsAddresses
    }

    var isBetweenBlobs: Bool { open == nil }

    mutating func receive(_ piece: Pagewright_Agent_V1_BlobPiece) async throws {
        guard piece.data.count <= BlobLimits.largestPiece else {
            throw Field.refuse("data", "has more than 1 MiB", rule: "field-length")
        }
        if !piece.digest.isEmpty {
            guard open == nil else { throw Field.refuse("data", "ends before its blob is whole", rule: "blob-size") }
            let digest = try Field.digest(piece.digest, "digest")
            guard digest == awaited.first else {
                throw Field.refuse("digest", "is not the blob that was asked for", rule: "blob-order")
            }
            guard piece.address.isEmpty || !acceptsAddresses else {
                try lent.add(digest, piece)
                awaited = awaited.dropFirst()
                return
            }
            _ = try Field.integer(piece.sizeBytes, "size_bytes")
            open = Open(digest: digest, size: piece.sizeBytes, writer: try await batch.makeWriter())
        }
        guard var current = open else { throw Field.refuse("digest", "is missing", rule: "field-missing") }
        current.received += Int64(piece.data.count)
        guard current.received <= current.size else {
            throw Field.refuse("data", "is longer than its blob", rule: "blob-size")
        }
        if !piece.data.isEmpty { try await current.writer.write(ByteBuffer(bytes: piece.data)) }
        guard current.received == current.size else {
            open = current
            return
        }
        _ = try await current.writer.finish(expecting: current.digest)
        open = nil
        awaited = awaited.dropFirst()
        summary = summary + TransferSummary(files: 1, bytes: current.size)
    }

    /// Throws unless the last blob is whole and at least one came.
    func finish() throws -> TransferSummary {
        guard open == nil, summary.files > 0 || !lent.blobs.isEmpty || awaited.isEmpty else {
            throw ServiceError(
                .unavailable, "the coordinator ended the transfer before it was complete", rule: "blob-transfer")
        }
        return summary
    }
}
