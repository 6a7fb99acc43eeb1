package import Domain
import NIOCore

/// Copies all blobs of one store to another. What is there already is not sent again, so it can be repeated until nothing is
/// left to do; both may be in use meanwhile.
package struct BlobMigration: Sendable {
    package struct Report: Sendable, Equatable {
        package var source = BlobCount.zero
        package var copied = BlobCount.zero
        /// In the source with a content that is not what their name says; not copied.
        package var damaged: [ContentDigest] = []
        /// In the source but, at the end, not in the target with the same size.
        package var absent: [ContentDigest] = []

        package var isComplete: Bool { damaged.isEmpty && absent.isEmpty }
    }

    /// How much is sent before it is kept.
    private static let bytesInOneBatch: Int64 = 64 << 20
    private static let blobsInOneBatch = 500

    private let source: any BlobInventory
    private let target: any BlobInventory

    package init(from source: any BlobInventory, to target: any BlobInventory) {
        self.source = source
        self.target = target
    }

    package func run(noteProgress: @Sendable (Report) -> Void = { _ in }) async throws -> Report {
        var report = Report()
        var damaged: Set<ContentDigest> = []
        try await source.forEachPage { page in
            for blob in page { report.source.add(blob.sizeInBytes) }
            let sizes = Dictionary(page.map { ($0.digest, $0.sizeInBytes) }) { first, _ in first }
            var missing = try await target.missing(among: page.map(\.digest))[...]
            while !missing.isEmpty {
                var batch: [ContentDigest] = []
                var bytes: Int64 = 0
                while let digest = missing.first, batch.count < Self.blobsInOneBatch,
                    batch.isEmpty || bytes + sizes[digest, default: 0] <= Self.bytesInOneBatch
                {
                    bytes += sizes[digest, default: 0]
                    batch.append(missing.removeFirst())
                }
                let (copied, bad) = try await copy(batch)
                report.copied = report.copied + copied
                damaged.formUnion(bad)
                noteProgress(report)
            }
        }
        // Believed when it was seen: every blob of the source is in the target's list, as large as it was.
        var sizes: [ContentDigest: Int64] = [:]
        try await target.forEachPage { page in for blob in page { sizes[blob.digest] = blob.sizeInBytes } }
        try await source.forEachPage { page in
            for blob in page where !damaged.contains(blob.digest) && sizes[blob.digest] != blob.sizeInBytes {
                report.absent.append(blob.digest)
            }
        }
        report.damaged = damaged.sorted()
        return report
    }

    private func copy(_ digests: [ContentDigest]) async throws -> (copied: BlobCount, damaged: [ContentDigest]) {
        let batch = try await target.makeBatch()
        var copied = BlobCount.zero
        var damaged: [ContentDigest] = []
        do {
            for digest in digests {
                let writer = try await batch.makeWriter()
                do {
                    // The target's writer hashes, too; nothing is kept that is not what its name says.
                    try await source.forEachPiece(of: digest, ofAtMost: 1 << 20) { try await writer.write($0) }
                    copied.add(try await writer.finish(expecting: digest).sizeInBytes)
                } catch let error as ServiceError where error.code == .internalError {
                    damaged.append(digest)
                } catch let error as ServiceError where error.code == .notFound {
                    // Deleted since it was listed.
                    continue
                }
            }
            try await batch.commit()
        } catch {
            await batch.discard()
            throw error
        }
        return (copied, damaged)
    }
}
