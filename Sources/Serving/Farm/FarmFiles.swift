import BlockingIO
import Domain
import Glibc

/// The few file operations that the farm is made of. All of them block.
enum FarmFiles {
    /// Makes a folder that nginx may pass through, whatever the process's umask is.
    static func makeFolder(_ path: String) throws {
        try SystemCallError.check("mkdir", on: path) { mkdir(path, 0o755) }
        try SystemCallError.check("chmod", on: path) { chmod(path, 0o755) }
    }

    /// Returns whether it was made now.
    @discardableResult
    static func ensureFolder(_ path: String) throws -> Bool {
        do {
            try makeFolder(path)
            return true
        } catch let error as SystemCallError where error.code == EEXIST {
            return false
        }
    }

    static func makeLink(_ path: String, to target: String) throws {
        try SystemCallError.check("symlink", on: path) { symlink(target, path) }
    }

    /// Makes or replaces a symbolic link; at no moment is there none.
    static func replaceLink(_ path: String, to target: String) throws {
        let slash = path.lastIndex(of: "/")!
        let temporary = path[...slash] + "." + path[path.index(after: slash)...] + ".new"
        if unlink(String(temporary)) != 0 && errno != ENOENT { throw SystemCallError("unlink", on: String(temporary)) }
        try makeLink(String(temporary), to: target)
        try SystemCallError.check("rename", on: path) { rename(String(temporary), path) }
    }

    /// `nil` when there is no symbolic link of this name.
    static func target(of path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// A missing one is fine.
    static func removeFile(_ path: String) throws {
        if unlink(path) != 0 && errno != ENOENT { throw SystemCallError("unlink", on: path) }
    }

    /// Deletes a file and returns whether there was one.
    static func takeFile(_ path: String) -> Bool { unlink(path) == 0 }

    /// Writes a new file that nginx may read. The caller makes its content durable.
    static func write(_ bytes: [UInt8], to path: String) throws -> OpenFile {
        let file = try OpenFile(path, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        try bytes.withUnsafeBytes { try file.write($0) }
        try SystemCallError.check("fchmod", on: path) { fchmod(file.descriptor, 0o644) }
        return file
    }

    /// Whole or not at all.
    static func replace(_ path: String, with bytes: [UInt8]) throws {
        let slash = path.lastIndex(of: "/")!
        let temporary = String(path[...slash] + "." + path[path.index(after: slash)...] + ".new")
        try removeFile(temporary)
        let file = try write(bytes, to: temporary)
        try file.sync()
        try file.close()
        try SystemCallError.check("rename", on: path) { rename(temporary, path) }
    }

    static func read(_ path: String, limit: Int = 4 << 20) throws -> [UInt8] {
        let file = try OpenFile(path, flags: O_RDONLY)
        let size = Int(try file.status().st_size)
        guard size <= limit else { throw SystemCallError("read", on: path, code: EFBIG) }
        var bytes = [UInt8](repeating: 0, count: size)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
        return Array(bytes[..<count])
    }

    /// Makes the names in a folder durable.
    static func sync(_ folder: String) throws { try OpenFile(folder: folder).sync() }

    /// Makes everything durable that is on the file system of a folder.
    static func syncAll(_ folder: String) throws {
        try OpenFile(folder: folder).syncFileSystem()
    }

    /// Names in a folder; none when it is not there.
    static func names(in folder: String) throws -> [String] {
        do {
            return try FileTree.names(in: try OpenFile(folder: folder))
        } catch let error as SystemCallError where error.code == ENOENT {
            return []
        }
    }

    /// Takes a folder out of sight at once and deletes it then.
    static func removeFolder(_ path: String) throws {
        let slash = path.lastIndex(of: "/")!
        let hidden = String(path[...slash] + ".gone-" + path[path.index(after: slash)...])
        try FileTree.remove(hidden)
        guard rename(path, hidden) == 0 else {
            if errno == ENOENT { return }
            throw SystemCallError("rename", on: path)
        }
        try FileTree.remove(hidden)
    }
}
