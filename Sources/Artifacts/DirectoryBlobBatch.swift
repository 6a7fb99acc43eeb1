import BlockingIO
import Domain
import Glibc
import Synchronization

/// Blobs in a folder of their own until all of them are moved to their places.
final class DirectoryBlobBatch: BlobBatch {
    /// Up to this many files or folders are flushed by themselves; more are flushed with all that the disk holds.
    private static let largestSingleFlush = 8

    private struct State {
        /// The names in the folder of the blobs that are finished.
        var finished: [ContentDigest: String] = [:]
        var writers = 0
        var isOpen = true
    }

    let folder: IncomingFolder
    private let root: OpenFile
    let pool: BlockingPool
    private let state = Mutex(State())

    init(folder: IncomingFolder, root: OpenFile, pool: BlockingPool) {
        self.folder = folder
        self.root = root
        self.pool = pool
    }

    /// The names in the folder of the blobs that are finished.
    var finished: [ContentDigest: String] { state.withLock { $0.finished } }

    func makeWriter() async throws -> any BlobWriter {
        let number = try state.withLock { state in
            guard state.isOpen else { throw Self.closed }
            state.writers += 1
            return state.writers
        }
        return DirectoryBlobWriter(name: String(number), batch: self)
    }

    /// Takes note of a finished file. Returns whether it is needed; it is not when the batch has the same content already.
    func add(_ digest: ContentDigest, name: String) throws -> Bool {
        try state.withLock { state in
            guard state.isOpen else { throw Self.closed }
            guard state.finished[digest] == nil else { return false }
            state.finished[digest] = name
            return true
        }
    }

    func read(_ digest: ContentDigest, limit: Int) async throws -> [UInt8] {
        let name = state.withLock { $0.finished[digest] }
        return try await pool.run("cannot read the blob \(digest)") { [folder, root] in
            if let name, let file = try BlobFile.open(digest, at: name, in: folder.folder) {
                return try file.readAll(limit: limit)
            }
            return try DirectoryBlobStore.open(digest, in: root).readAll(limit: limit)
        }
    }

    func commit() async throws {
        try await pool.run("cannot store the blobs") {
            let finished = try self.state.withLock { state in
                guard state.isOpen else { throw Self.closed }
                state.isOpen = false
                return state.finished
            }
            try self.flushContents(Array(finished.values))
            try self.move(finished)
            try self.folder.remove()
        }
    }

    func discard() async {
        await pool.runEvenIfCancelled {
            self.state.withLock { $0.isOpen = false }
            // What cannot be deleted now is deleted when the store is opened the next time.
            try? self.folder.remove()
        }
    }

    private func flushContents(_ names: [String]) throws {
        guard names.count <= Self.largestSingleFlush else { return try folder.folder.syncFileSystem() }
        try Flush.all(names.map { try OpenFile($0, flags: O_RDONLY, in: folder.folder) })
    }

    /// A failure on the way leaves whole, durable blobs that nobody asks for; another batch may rely on them by then.
    private func move(_ finished: [ContentDigest: String]) throws {
        let shards = Set(finished.keys.map(\.shard))
        var hasNewShard = false
        for shard in shards {
            if mkdirat(root.descriptor, shard, 0o700) == 0 {
                hasNewShard = true
            } else if errno != EEXIST {
                throw SystemCallError("mkdir", on: "\(root.path)/\(shard)")
            }
        }
        for (digest, name) in finished where try !isInStore(digest) {
            try SystemCallError.check("rename", on: "\(root.path)/\(digest.relativePath)") {
                renameat(folder.folder.descriptor, name, root.descriptor, digest.relativePath)
            }
        }
        // The folders of blobs that were there already, too: another batch may have moved them in a moment ago.
        if shards.count <= Self.largestSingleFlush {
            try Flush.all(shards.map { try OpenFile(folder: $0, in: root) } + (hasNewShard ? [root] : []))
        } else {
            try root.syncFileSystem()
        }
    }

    /// Whether the store has the blob, and has it undamaged; a damaged one is replaced. One that stays becomes young again.
    private func isInStore(_ digest: ContentDigest) throws -> Bool {
        // Before the look, so that what is seen then is young.
        DirectoryBlobStore.refresh(digest, in: root)
        guard let file = try BlobFile.open(digest, at: digest.relativePath, in: root) else { return false }
        return try file.isWhole()
    }

    private static let closed = ServiceError(.internalError, "the batch of blobs has ended")
}
