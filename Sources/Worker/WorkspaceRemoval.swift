import BlockingIO
import Glibc

/// Deletes what a task left, whatever it did to make that hard: names that are not text, folders without rights,
/// nesting without end. No link is followed. Blocks.
enum WorkspaceRemoval {
    /// Fine when there is nothing at `path`.
    static func remove(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw SystemCallError("lstat", on: path)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            try SystemCallError.check("unlink", on: path) { unlink(path) }
            return
        }
        if status.st_mode & 0o700 != 0o700 { chmod(path, 0o700) }
        let top = try BeneathFile(root: path)
        // Folders move up into the top one by one, so that neither open files nor path lengths grow with the depth.
        var pending = try folders(in: top)
        var moved = 0
        while let name = pending.popLast() {
            let folder = try withPointer(name) { try open($0, in: top) }
            for child in try folders(in: folder) {
                moved += 1
                let newName = Array(".removed-\(moved)".utf8)
                try withPointer(child) { old in
                    try withPointer(newName) { new in
                        try SystemCallError.check("renameat", on: folder.path) {
                            renameat(folder.descriptor, old, top.descriptor, new)
                        }
                    }
                }
                pending.append(newName)
            }
            try withPointer(name) { name in
                try SystemCallError.check("rmdir", on: folder.path) { unlinkat(top.descriptor, name, AT_REMOVEDIR) }
            }
        }
        try SystemCallError.check("rmdir", on: path) { rmdir(path) }
    }

    private static func open(_ name: UnsafePointer<CChar>, in top: BeneathFile) throws -> BeneathFile {
        let descriptor = try SystemCallError.check("open", on: top.path) {
            openat(top.descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        return BeneathFile(adopting: descriptor, path: top.path + "/…")
    }

    /// Deletes all plain entries of `folder` and returns the folders in it, with the rights to go on.
    private static func folders(in folder: BeneathFile) throws -> [[UInt8]] {
        fchmod(folder.descriptor, 0o700)
        return try folder.names().filter { name in
            try withPointer(name) { name in
                var status = stat()
                try SystemCallError.check("fstatat", on: folder.path) {
                    fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW)
                }
                if status.st_mode & S_IFMT == S_IFDIR {
                    fchmodat(folder.descriptor, name, 0o700, 0)
                    return true
                }
                try SystemCallError.check("unlink", on: folder.path) { unlinkat(folder.descriptor, name, 0) }
                return false
            }
        }
    }

    @discardableResult
    private static func withPointer<Value>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) throws -> Value) rethrows
        -> Value
    {
        try (name + [0]).withUnsafeBytes { try body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
    }
}
