package import Artifacts
import BlockingIO
import Domain
import Synchronization
import Validation

/// What the guardrails and comparisons know of files. Only changed files are looked at, and what was looked at lately is
/// remembered by its content.
package final class FileSurveySource: Sendable {
    private static let memoryLimit = 400

    private struct Key: Hashable {
        let digest: ContentDigest
        let path: SitePath
    }

    private let blobs: any BlobStore
    private let pool = BlockingPool(label: "pagewright.surveys", width: 2)
    private let memory = Mutex<[Key: FileSurvey]>([:])

    package init(blobs: any BlobStore) {
        self.blobs = blobs
    }

    /// `nil` for a file that is too large to be looked into. New content is read from `batch`, or from the store without
    /// one.
    func survey(of entry: Manifest.Entry, in batch: (any BlobBatch)? = nil) async throws -> FileSurvey? {
        let key = Key(digest: entry.digest, path: entry.path)
        if let known = memory.withLock({ $0[key] }) { return known }
        guard entry.sizeInBytes <= FileSurvey.sizeLimit else { return nil }
        let bytes = try await read(entry, in: batch)
        let survey = try await pool.run { FileSurvey(of: entry.path, bytes: bytes) }
        // What is large is read again: hundreds of these would be too much to remember.
        guard entry.sizeInBytes <= 128 << 10 else { return survey }
        memory.withLock { memory in
            // Everything goes at once when it is full: what is needed is read again.
            if memory.count >= Self.memoryLimit { memory.removeAll() }
            memory[key] = survey
        }
        return survey
    }

    /// How a page changed, when it did so by one small piece.
    func piece(
        from old: Manifest.Entry, to new: Manifest.Entry, in batch: (any BlobBatch)?
    ) async throws -> PieceChange? {
        guard max(old.sizeInBytes, new.sizeInBytes) <= FileSurvey.sizeLimit else { return nil }
        let (before, after) = (try await read(old, in: nil), try await read(new, in: batch))
        return try await pool.run { PieceChange(of: new.path, from: before, to: after) }
    }

    private func read(_ entry: Manifest.Entry, in batch: (any BlobBatch)?) async throws -> [UInt8] {
        let limit = Int(entry.sizeInBytes)
        if let batch { return try await batch.read(entry.digest, limit: limit) }
        return try await blobs.read(entry.digest, limit: limit)
    }
}
