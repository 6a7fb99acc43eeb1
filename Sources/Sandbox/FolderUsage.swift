import Glibc

/// How much a folder holds, symbolic links not followed.
struct FolderUsage: Equatable {
    private(set) var sizeInBytes: Int64 = 0
    private(set) var entries = 0
    /// Deeper nesting is counted as one more violation of the number of files: nobody could collect it.
    static let maximumDepth = 64

    /// Adds what is in `path`; stops early once `limit` entries were seen or `shouldStop` says so.
    mutating func add(_ path: String, limit: Int, shouldStop: () -> Bool) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return }
        add(folder, depth: 0, limit: limit, shouldStop: shouldStop)
    }

    /// Takes the descriptor over.
    private mutating func add(_ folder: Int32, depth: Int, limit: Int, shouldStop: () -> Bool) {
        guard let stream = fdopendir(folder) else {
            close(folder)
            return
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = DirectoryEntry.nameBytes(of: entry) + [0]
            if name == [0x2e, 0] || name == [0x2e, 0x2e, 0] { continue }
            entries += 1
            if entries > limit || (entries.isMultiple(of: 512) && shouldStop()) { return }
            var status = stat()
            let isKnown = name.withUnsafeBytes {
                fstatat(folder, $0.baseAddress!.assumingMemoryBound(to: CChar.self), &status, AT_SYMLINK_NOFOLLOW) == 0
            }
            guard isKnown else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                guard depth < Self.maximumDepth else {
                    entries = limit + 1
                    return
                }
                let child = name.withUnsafeBytes {
                    openat(
                        folder, $0.baseAddress!.assumingMemoryBound(to: CChar.self),
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                }
                if child >= 0 { add(child, depth: depth + 1, limit: limit, shouldStop: shouldStop) }
            } else {
                sizeInBytes += max(Int64(status.st_size), Int64(status.st_blocks) * 512)
            }
        }
    }
}
