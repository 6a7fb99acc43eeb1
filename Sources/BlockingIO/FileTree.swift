import Glibc

/// Whole folders. Every call blocks: use it on a ``BlockingPool``.
package enum FileTree {
    /// Deletes a folder and all below it, however deep, and whatever the rights inside say. Follows no symbolic link.
    /// A folder that is not there is fine.
    package static func remove(_ path: String) throws {
        let top: OpenFile
        do {
            top = try OpenFile(folder: path)
        } catch let error as SystemCallError where error.code == ENOENT {
            return
        } catch let error as SystemCallError where error.code == EACCES {
            try SystemCallError.check("chmod", on: path) { chmod(path, 0o700) }
            top = try OpenFile(folder: path)
        }
        try removeContents(of: top)
        try top.close()
        try SystemCallError.check("rmdir", on: path) { rmdir(path) }
    }

    /// Deletes all that is in `top`. Folders are first moved up, directly into `top`, so that neither the stack nor the
    /// number of open files nor the length of a path grows with the depth of what a stranger made.
    private static func removeContents(of top: OpenFile) throws {
        try SystemCallError.check("fchmod", on: top.path) { fchmod(top.descriptor, 0o700) }
        var pending: [String] = []
        var moved = 0
        for name in try names(in: top) where try unlinkOrKeepFolder(name, in: top) { pending.append(name) }
        while let name = pending.popLast() {
            // A folder without rights can be neither read nor moved from by anybody but root.
            _ = fchmodat(top.descriptor, name, 0o700, 0)
            let folder = try OpenFile(folder: name, in: top)
            for child in try names(in: folder) where try unlinkOrKeepFolder(child, in: folder) {
                _ = fchmodat(folder.descriptor, child, 0o700, 0)
                pending.append(try move(child, of: folder, into: top, &moved))
            }
            try folder.close()
            try SystemCallError.check("rmdir", on: folder.path) { unlinkat(top.descriptor, name, AT_REMOVEDIR) }
        }
    }

    /// Returns whether `name` is a folder; deletes it when it is anything else.
    private static func unlinkOrKeepFolder(_ name: String, in folder: OpenFile) throws -> Bool {
        if unlinkat(folder.descriptor, name, 0) == 0 { return false }
        switch errno {
        case EISDIR, EPERM: break
        case ENOENT: return false
        case let code: throw SystemCallError("unlink", on: "\(folder.path)/\(name)", code: code)
        }
        var status = stat()
        try SystemCallError.check("fstatat", on: "\(folder.path)/\(name)") {
            fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw SystemCallError("unlink", on: "\(folder.path)/\(name)", code: EPERM)
        }
        return true
    }

    private static func move(
        _ name: String, of folder: OpenFile, into top: OpenFile, _ moved: inout Int
    ) throws -> String {
        while true {
            moved += 1
            let newName = ".removed-\(moved)"
            var status = stat()
            // Renaming onto an empty folder would replace it, and it would then be awaited twice.
            if fstatat(top.descriptor, newName, &status, AT_SYMLINK_NOFOLLOW) == 0 { continue }
            try SystemCallError.check("renameat", on: "\(folder.path)/\(name)") {
                renameat(folder.descriptor, name, top.descriptor, newName)
            }
            return newName
        }
    }

    /// The names in a folder, without `.` and `..`.
    package static func names(in folder: OpenFile) throws -> [String] {
        // The stream gets a descriptor of its own, because closing it closes that.
        let copy = try OpenFile(folder: ".", in: folder)
        guard let stream = fdopendir(dup(copy.descriptor)) else { throw SystemCallError("fdopendir", on: folder.path) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw SystemCallError("readdir", on: folder.path) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }
}
