package import Artifacts
import BlockingIO
package import Database
import Domain
package import Persistence
import Synchronization
import Validation

/// What the checks know of files. Every content is parsed once in its life: facts are kept by digest, in memory for
/// the sites that are being worked on and in the database for all.
package final class FileFactsSource: Sendable {
    typealias Known = [ContentDigest: [FileKind: FileFacts]]

    /// A longer text is not looked into; a longer page is too large to parse anyway.
    private static let maximumSizeInBytes: Int64 = 32 << 20
    private static let memoryLimit = 20_000
    private static let parallelism = 2

    private let database: any SQLDatabase
    private let store: FileFactsStore
    private let blobs: any BlobStore
    private let pool = BlockingPool(label: "pagewright.checks", width: FileFactsSource.parallelism)
    private let memory = Mutex<[Key: FileFacts]>([:])

    private struct Key: Hashable {
        let digest: ContentDigest
        let kind: FileKind
    }

    package init(database: any SQLDatabase, store: FileFactsStore, blobs: any BlobStore) {
        self.database = database
        self.store = store
        self.blobs = blobs
    }

    /// The facts of all `entries` that have any. New content is read from `batch`, or from the store without one.
    func facts(of entries: [Manifest.Entry], in batch: (any BlobBatch)?) async throws -> Known {
        var known: Known = [:]
        for kind in FileKind.allCases where kind.needsBytes {
            var wanted: [ContentDigest: Manifest.Entry] = [:]
            for entry in entries where FileKind(of: entry.path) == kind { wanted[entry.digest] = entry }
            let remembered = memory.withLock { memory in
                wanted.keys.compactMap { digest in memory[Key(digest: digest, kind: kind)].map { (digest, $0) } }
            }
            for (digest, facts) in remembered {
                known[digest, default: [:]][kind] = facts
                wanted[digest] = nil
            }
            let missing = Array(wanted.keys)
            let stored = try await database.read { [store] transaction in
                try await store.find(missing, kind: Self.storedKind(kind), in: transaction)
            }
            for (digest, bytes) in stored {
                // Facts that cannot be read are made again.
                guard let facts = try? FileFacts(encoded: bytes) else { continue }
                known[digest, default: [:]][kind] = facts
                wanted[digest] = nil
                remember(facts, digest, kind)
            }
            let extracted = try await extract(Array(wanted.values), kind: kind, from: batch)
            for (digest, facts) in extracted {
                known[digest, default: [:]][kind] = facts
                remember(facts, digest, kind)
            }
            if !extracted.isEmpty {
                let rows = try extracted.map { (digest: $0.0, facts: try $0.1.encoded()) }
                try await database.withTransaction { [store] transaction in
                    try await store.insert(rows, kind: Self.storedKind(kind), in: transaction)
                }
            }
        }
        return known
    }

    private func extract(
        _ entries: [Manifest.Entry], kind: FileKind, from batch: (any BlobBatch)?
    ) async throws -> [(ContentDigest, FileFacts)] {
        var results: [(ContentDigest, FileFacts)] = []
        try await withThrowingTaskGroup(of: (ContentDigest, FileFacts).self) { group in
            var waiting = entries.filter { $0.sizeInBytes <= Self.maximumSizeInBytes }[...]
            func startNext() {
                guard let entry = waiting.popFirst() else { return }
                group.addTask { [self] in
                    let limit = Int(entry.sizeInBytes)
                    let bytes =
                        if let batch {
                            try await batch.read(entry.digest, limit: limit)
                        } else {
                            try await blobs.read(entry.digest, limit: limit)
                        }
                    return (entry.digest, try await pool.run { FileFacts.extract(kind, from: bytes) })
                }
            }
            // One more than are parsed at once, so that reading and parsing overlap; memory stays bounded.
            for _ in 0...Self.parallelism { startNext() }
            while let result = try await group.next() {
                results.append(result)
                startNext()
            }
        }
        return results
    }

    private func remember(_ facts: FileFacts, _ digest: ContentDigest, _ kind: FileKind) {
        memory.withLock { memory in
            // Everything goes at once when it is full: what is needed comes back from the database.
            if memory.count >= Self.memoryLimit { memory.removeAll() }
            memory[Key(digest: digest, kind: kind)] = facts
        }
    }

    /// Facts of another format are not found.
    private static func storedKind(_ kind: FileKind) -> String { "\(kind.rawValue)-\(FileFacts.formatVersion)" }
}
