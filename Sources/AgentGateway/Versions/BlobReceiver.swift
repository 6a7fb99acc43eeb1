import AgentProtocol
import Artifacts
import Domain
import FoundationEssentials
import NIOCore

/// Puts the pieces of blobs that come one after the other into a batch, and checks size and hash of each.
struct BlobReceiver {
    private struct Open {
        let writer: any BlobWriter
        let digest: ContentDigest
        let size: Int64
        var received: Int64 = 0
    }

    private let batch: any BlobBatch
    private var open: Open?
    private var stored: [StoredBlob] = []

    init(batch: any BlobBatch) {
        self.batch = batch
    }

    mutating func receive(_ piece: Pagewright_Agent_V1_BlobPiece) async throws {
        if !piece.digest.isEmpty {
            try await close()
            guard (0...Manifest.Limits.standard.fileSizeInBytes).contains(piece.sizeBytes) else {
                throw Field.refuse("size_bytes", "is not allowed", rule: "file-size")
            }
            open = Open(
                writer: try await batch.makeWriter(), digest: try Field.digest(piece.digest, "digest"),
                size: piece.sizeBytes)
        }
        guard var current = open else {
            throw Field.refuse("digest", "is missing from the first piece", rule: "field-missing")
        }
        current.received += Int64(piece.data.count)
        guard current.received <= current.size else {
            throw Field.refuse("data", "is more than size_bytes says", rule: "file-size")
        }
        if !piece.data.isEmpty { try await current.writer.write(ByteBuffer(bytes: piece.data)) }
        open = current
    }

    /// Ends the last blob and returns them all.
    mutating func finish() async throws -> [StoredBlob] {
        try await close()
        return stored
    }

    private mutating func close() async throws {
        guard let current = open else { return }
        open = nil
        guard current.received == current.size else {
            throw Field.refuse("data", "is less than size_bytes says", rule: "file-size")
        }
        stored.append(try await current.writer.finish(expecting: current.digest))
    }
}
