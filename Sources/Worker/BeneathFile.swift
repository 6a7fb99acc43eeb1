import BlockingIO
import Glibc
import Sandbox

/// A file or folder below a workspace, opened without following any link and without leaving the workspace. Blocks.
final class BeneathFile: Sendable {
    let descriptor: Int32
    let path: String

    /// The workspace itself.
    init(root path: String) throws {
        self.path = path
        descriptor = try SystemCallError.check("open", on: path) {
            open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
    }

    /// Something directly in `folder`. Throws `ELOOP` or `EXDEV` when it leads elsewhere.
    init(_ name: String, in folder: BeneathFile, flags: Int32) throws {
        path = folder.path + "/" + name
        do {
            descriptor = try LinuxCall.open(name, beneath: folder.descriptor, flags: flags | O_NOFOLLOW | O_NOCTTY)
        } catch {
            throw SystemCallError(error.call, on: path, code: error.code)
        }
    }

    /// Takes over a folder that was opened without following a link.
    init(adopting descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    func status() throws -> stat {
        var status = stat()
        try SystemCallError.check("fstat", on: path) { fstat(descriptor, &status) }
        return status
    }

    /// Fewer bytes than `buffer` takes only at the end.
    func read(into buffer: inout [UInt8]) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try buffer.withUnsafeMutableBytes { bytes in
                try SystemCallError.check("read", on: path) {
                    Glibc.read(descriptor, bytes.baseAddress! + filled, bytes.count - filled)
                }
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// What is in this folder, as bytes and sorted: a task can give names that are not text.
    func names() throws -> [[UInt8]] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { throw SystemCallError("opendir", on: path) }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = DirectoryEntry.nameBytes(of: entry)
            if name != [0x2e] && name != [0x2e, 0x2e] { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
