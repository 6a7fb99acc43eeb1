import BlockingIO
import Glibc

/// The folder of one batch, below `incoming/` of a store. Blocks.
///
/// Whoever works in it holds a lock on it, which ends with the process; so a folder without a lock is what a crash left.
final class IncomingFolder: Sendable {
    private static let parentName = "incoming"
    let folder: OpenFile

    /// Makes a new one.
    init(in root: OpenFile) throws {
        let parent = try OpenFile(folder: Self.parentName, in: root)
        // Nobody sweeps between the making and the locking.
        try SystemCallError.check("flock", on: parent.path) { flock(parent.descriptor, LOCK_SH) }
        var generator = SystemRandomNumberGenerator()
        let name = String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
        try SystemCallError.check("mkdir", on: "\(parent.path)/\(name)") { mkdirat(parent.descriptor, name, 0o700) }
        let folder = try OpenFile(folder: name, in: parent)
        try SystemCallError.check("flock", on: folder.path) { flock(folder.descriptor, LOCK_EX) }
        self.folder = folder
    }

    func remove() throws {
        try FileTree.remove(folder.path)
    }

    /// Makes `incoming/` and deletes what a crash left in it.
    static func prepare(in root: OpenFile) throws {
        if mkdirat(root.descriptor, parentName, 0o700) != 0 && errno != EEXIST {
            throw SystemCallError("mkdir", on: "\(root.path)/\(parentName)")
        }
        _ = try removeAbandoned(in: root, isDryRun: false)
    }

    /// Deletes what a crash left, and returns how much that was.
    static func removeAbandoned(in root: OpenFile, isDryRun: Bool) throws -> BlobCount {
        let parent = try OpenFile(folder: parentName, in: root)
        try SystemCallError.check("flock", on: parent.path) { flock(parent.descriptor, LOCK_EX) }
        var found = BlobCount.zero
        for name in try FileTree.names(in: parent) {
            guard let folder = try? OpenFile(folder: name, in: parent) else {
                if !isDryRun { unlinkat(parent.descriptor, name, 0) }
                continue
            }
            guard flock(folder.descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
            for file in try FileTree.names(in: folder) {
                var status = stat()
                if fstatat(folder.descriptor, file, &status, AT_SYMLINK_NOFOLLOW) == 0 {
                    found.add(Int64(status.st_size))
                }
            }
            if !isDryRun { try FileTree.remove(folder.path) }
        }
        return found
    }
}
