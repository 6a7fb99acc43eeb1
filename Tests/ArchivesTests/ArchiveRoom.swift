import Archives
import Artifacts
import BlockingIO
import Domain
import Foundation
import NIOCore
import TestSupport

/// A store, a reader and a writer for one test, in a folder of their own.
struct ArchiveRoom {
    let folder: String
    let store: DirectoryBlobStore
    let reader: ArchiveReader
    let writer: ArchiveWriter

    static func withNew<Value>(_ body: (ArchiveRoom) async throws -> Value) async throws -> Value {
        try await withTemporaryDirectory { folder in
            let pool = BlockingPool(label: "test", width: 4)
            return try await body(
                ArchiveRoom(
                    folder: folder, store: DirectoryBlobStore(directory: "\(folder)/blobs", pool: pool),
                    reader: ArchiveReader(pool: pool), writer: ArchiveWriter(pool: pool)))
        }
    }

    /// Imports and keeps; leaves nothing when it is refused.
    func importing(_ path: String, limits: Manifest.Limits = .standard) async throws -> ImportedTree {
        let batch = try await store.makeBatch()
        do {
            let tree = try await reader.read(archiveAt: path, into: batch, limits: limits)
            try await batch.commit()
            return tree
        } catch {
            await batch.discard()
            throw error
        }
    }

    func export(_ manifest: Manifest, to path: String) async throws {
        try Data().write(to: URL(filePath: path))
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try await writer.write(manifest, from: store) { piece in
            try file.write(contentsOf: Data(piece.readableBytesView))
        }
        try file.close()
    }

    /// Every file below the store.
    func storedFiles() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(folder)/blobs").filter { $0 != "incoming" }
    }
}

/// The most memory that this process ever had.
func peakMemoryInBytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
}
