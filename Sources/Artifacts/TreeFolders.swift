import BlockingIO
import Glibc
import Synchronization

/// The folders of a tree that is being built. Blocks.
final class TreeFolders: Sendable {
    /// Up to this many folders are flushed by themselves; more are flushed with all that the disk holds.
    private static let largestSingleFlush = 16

    let top: OpenFile
    private let made = Mutex<Set<String>>([])

    init(at path: String) throws {
        if mkdir(path, 0o755) != 0 && errno != EEXIST { throw SystemCallError("mkdir", on: path) }
        top = try OpenFile(folder: path)
        try SystemCallError.check("fchmod", on: path) { fchmod(top.descriptor, 0o755) }
    }

    /// Makes the folder and those above it, unless this was done before; relative to the top, empty for the top.
    func makeFolder(_ path: String) throws {
        try made.withLock { made in
            guard !path.isEmpty, !made.contains(path) else { return }
            var end = path.startIndex
            while end != path.endIndex {
                end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
                let folder = String(path[..<end])
                guard made.insert(folder).inserted else { continue }
                if mkdirat(top.descriptor, folder, 0o755) != 0 {
                    guard errno == EEXIST else { throw SystemCallError("mkdir", on: "\(top.path)/\(folder)") }
                }
                // Opening refuses a link in the folder's place; the umask took rights away.
                let opened = try OpenFile(folder: folder, in: top)
                try SystemCallError.check("fchmod", on: opened.path) { fchmod(opened.descriptor, 0o755) }
            }
        }
    }

    /// Makes all names durable. With `includingContents` those of the files, too: of copies, which nobody else flushes.
    func sync(includingContents: Bool) throws {
        let folders = made.withLock(\.self)
        guard !includingContents, folders.count <= Self.largestSingleFlush else { return try top.syncFileSystem() }
        try Flush.all([top] + folders.map { try OpenFile(folder: $0, in: top) })
    }
}
