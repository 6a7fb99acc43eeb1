import BlockingIO
package import Domain
import Glibc
import NIOCore

extension DirectoryBlobStore {
    /// How many files one job of the pool makes, so that a tree of any size can be cancelled and others get their turn.
    private static let filesInOneJob = 1_000
    /// How many jobs of one tree run side by side.
    private static let parallelism = 2

    /// Makes `path` another name of the blob: a file that must never be written to. It must not exist.
    package func link(_ digest: ContentDigest, to path: String) async throws {
        let root = root
        try await pool.run("cannot place \(path)") {
            _ = try Self.place(digest, expectedSize: nil, as: path, in: nil, from: root)
        }
    }

    /// Makes the files of a site below `directory`, as read-only hard links to the blobs, and flushes them all. Folders are
    /// made, `directory` itself too; a file that is there already is refused with `alreadyExists`, a blob that is not with
    /// `notFound`, and one whose size is not as listed with `internalError`. After an error a part of the files is there.
    ///
    /// The contents are not read again here; ``damaged(among:)`` does that.
    /// - Parameter base: files that are in this list were linked before, so that their sizes are not looked at again.
    package func linkAll(
        _ entries: [Manifest.Entry], into directory: String, base: Manifest? = nil
    ) async throws {
        let root = root
        let pool = pool
        let attempt = "cannot build the files of the site in \(directory)"
        let tree = try await pool.run(attempt) { try TreeFolders(at: directory) }
        try Task.checkCancellation()
        let hasCopies = try await withThrowingTaskGroup(of: Bool.self) { group in
            var waiting = Self.jobs(for: entries)[...]
            func startNext() {
                guard let entries = waiting.popFirst() else { return }
                group.addTask {
                    try await pool.run(attempt) { try Self.link(entries, into: tree, base: base, from: root) }
                }
            }
            for _ in 0..<Self.parallelism { startNext() }
            var hasCopies = false
            while let next = try await group.next() {
                hasCopies = hasCopies || next
                try Task.checkCancellation()
                startNext()
            }
            return hasCopies
        }
        try await pool.run(attempt) { try tree.sync(includingContents: hasCopies) }
    }

    /// Returns whether some became copies.
    private static func link(
        _ entries: ArraySlice<Manifest.Entry>, into tree: TreeFolders, base: Manifest?, from root: OpenFile
    ) throws -> Bool {
        var hasCopies = false
        var folder = ""
        for entry in entries {
            let next = entry.path.folder
            if next != folder { try tree.makeFolder(next) }
            folder = next
            let isKnown = base?.entry(at: entry.path) == entry
            if try place(
                entry.digest, expectedSize: isKnown ? nil : entry.sizeInBytes, as: entry.path.text, in: tree.top,
                from: root)
            {
                hasCopies = true
            }
        }
        return hasCopies
    }

    /// Makes the files of a site below `directory`, as copies with the rights 0644 that belong to the caller alone. Every
    /// content is checked on the way. Nothing is flushed. Refuses as ``linkAll(_:into:)`` does.
    package func copyAll(_ entries: [Manifest.Entry], into directory: String) async throws {
        let root = root
        let attempt = "cannot copy the files of the site to \(directory)"
        let tree = try await pool.run(attempt) { try TreeFolders(at: directory) }
        for entries in Self.jobs(for: entries) {
            try Task.checkCancellation()
            try await pool.run(attempt) {
                for entry in entries {
                    try tree.makeFolder(entry.path.folder)
                    try Self.copy(
                        entry.digest, expectedSize: entry.sizeInBytes, as: entry.path.text, in: tree.top, mode: 0o644,
                        from: root)
                }
            }
        }
    }

    /// Slices of at most so many files, and of about 64 MiB.
    private static func jobs(for entries: [Manifest.Entry]) -> [ArraySlice<Manifest.Entry>] {
        var slices: [ArraySlice<Manifest.Entry>] = []
        var start = 0
        var size: Int64 = 0
        for (index, entry) in entries.enumerated() {
            size += entry.sizeInBytes
            if size >= 64 << 20 || index - start + 1 >= filesInOneJob {
                slices.append(entries[start...index])
                start = index + 1
                size = 0
            }
        }
        if start < entries.count { slices.append(entries[start...]) }
        return slices
    }

    /// Returns whether the file became a copy instead of a link.
    private static func place(
        _ digest: ContentDigest, expectedSize: Int64?, as path: String, in tree: OpenFile?, from root: OpenFile
    ) throws -> Bool {
        if let expectedSize {
            guard let status = try status(of: digest, in: root) else { throw notFound(digest) }
            guard Int64(status.st_size) == expectedSize else { throw wrongSize(digest) }
        }
        let descriptor = tree?.descriptor ?? AT_FDCWD
        guard digest.withRelativePath({ linkat(root.descriptor, $0, descriptor, path, 0) }) != 0 else { return false }
        switch errno {
        case EEXIST: throw alreadyExists(path)
        // The file system's limit of names for one file (65,000 on ext4), or a tree on another disk.
        case EMLINK, EXDEV, EPERM:
            try copy(digest, expectedSize: expectedSize, as: path, in: tree, mode: 0o444, from: root)
            return true
        case ENOENT where try status(of: digest, in: root) == nil: throw notFound(digest)
        case let code: throw SystemCallError("linkat", on: path, code: code)
        }
    }

    /// Copies a blob, and checks it on the way. A copy that is read-only has the blob's time as well.
    private static func copy(
        _ digest: ContentDigest, expectedSize: Int64?, as path: String, in tree: OpenFile?, mode: mode_t,
        from root: OpenFile
    ) throws {
        var blob = try open(digest, in: root)
        guard expectedSize == nil || expectedSize == blob.sizeInBytes else { throw wrongSize(digest) }
        let file: OpenFile
        do {
            file = try OpenFile(path, flags: O_WRONLY | O_CREAT | O_EXCL, in: tree)
        } catch let error as SystemCallError where error.code == EEXIST {
            throw alreadyExists(path)
        }
        while true {
            let piece = try blob.nextPiece()
            if piece.readableBytes == 0 { break }
            try piece.withUnsafeReadableBytes { try file.write($0) }
        }
        try SystemCallError.check("fchmod", on: file.path) { fchmod(file.descriptor, mode) }
        if mode & 0o200 == 0 {
            let times = [digest.fingerprintTime, digest.fingerprintTime]
            try SystemCallError.check("futimens", on: file.path) { futimens(file.descriptor, times) }
        }
        try file.close()
    }

    private static func notFound(_ digest: ContentDigest) -> ServiceError {
        ServiceError(.notFound, "the content \(digest) is not in the store")
    }

    private static func alreadyExists(_ path: String) -> ServiceError {
        ServiceError(.alreadyExists, "there is a file \"\(path)\" already")
    }

    private static func wrongSize(_ digest: ContentDigest) -> ServiceError {
        ServiceError(.internalError, "the stored content \(digest) has not the size that the manifest says")
    }
}
