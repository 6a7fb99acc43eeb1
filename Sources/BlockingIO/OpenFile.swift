import CLinux
package import Glibc
import Synchronization

/// An open file or folder that closes itself. Every call blocks: use it on a ``BlockingPool``.
package final class OpenFile: Sendable {
    package let descriptor: CInt
    /// As it was opened, for messages.
    package let path: String
    private let isClosed = Atomic(false)

    /// Opens `path`, below the folder `base` when there is one. Never follows a symbolic link in the last part and
    /// never leaks into a child process.
    package init(_ path: String, flags: CInt, mode: mode_t = 0o600, in base: OpenFile? = nil) throws {
        self.path = base.map { "\($0.path)/\(path)" } ?? path
        descriptor = try SystemCallError.check("open", on: self.path) {
            openat(base?.descriptor ?? AT_FDCWD, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, mode)
        }
    }

    /// Opens a folder, for calls that work relative to it.
    package convenience init(folder path: String, in base: OpenFile? = nil) throws {
        try self.init(path, flags: O_RDONLY | O_DIRECTORY, in: base)
    }

    deinit {
        if !isClosed.load(ordering: .relaxed) { Glibc.close(descriptor) }
    }

    /// Closes the file and throws what closing has to say; some file systems say only then that the disk is full.
    package func close() throws {
        guard !isClosed.exchange(true, ordering: .relaxed) else { return }
        // Linux has let go of the descriptor even when a signal interrupted the call.
        guard Glibc.close(descriptor) == 0 || errno == EINTR else { throw SystemCallError("close", on: path) }
    }

    /// Reads up to the size of `buffer`; fewer only at the end of the file.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try SystemCallError.check("read", on: path) {
                Glibc.read(descriptor, buffer.baseAddress! + filled, buffer.count - filled)
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var written = 0
        while written < bytes.count {
            written += try SystemCallError.check("write", on: path) {
                Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            }
        }
    }

    package func status() throws -> stat {
        var status = stat()
        try SystemCallError.check("fstat", on: path) { fstat(descriptor, &status) }
        return status
    }

    /// Makes this file, or the names in this folder, durable.
    package func sync() throws {
        try SystemCallError.check("fsync", on: path) { fsync(descriptor) }
    }

    /// Makes everything durable that the file system of this file holds.
    package func syncFileSystem() throws {
        try SystemCallError.check("syncfs", on: path) { syncfs(descriptor) }
    }
}
