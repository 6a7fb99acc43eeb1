package import Domain
import Glibc

/// A folder for keys and other small files that must survive a crash: each file is there whole or not at all, and is on
/// the disk when the call returns. The folder is for its owner only.
///
/// These calls block; a program that serves makes them on a `BlockingPool`.
package struct DurableFolder: Sendable, Equatable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Makes the folder (mode 0700) and what is missing above it.
    package func create() throws(ServiceError) {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for component in path.split(separator: "/") {
            prefix += (prefix.isEmpty || prefix.hasSuffix("/") ? "" : "/") + component
            guard mkdir(prefix, 0o700) != 0 else { continue }
            guard errno == EEXIST else { throw failure("create the folder", prefix) }
        }
    }

    /// The whole file; `nil` when there is none. Files over `limit` bytes are refused.
    package func read(_ name: String, limit: Int = 1 << 20) throws(ServiceError) -> [UInt8]? {
        let file = open(location(of: name), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open", location(of: name))
        }
        defer { close(file) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", location(of: name)) }
            if count == 0 { return content }
            content += buffer[..<count]
            guard content.count <= limit else {
                throw ServiceError(.payloadTooLarge, "the file \(location(of: name)) has more than \(limit) bytes")
            }
        }
    }

    /// Puts `content` in the place of whatever has that name.
    package func write(_ content: [UInt8], to name: String, mode: UInt32 = 0o600) throws(ServiceError) {
        let temporary = try writeTemporary(content, mode: mode)
        guard rename(temporary, location(of: name)) == 0 else {
            let error = failure("name", location(of: name))
            unlink(temporary)
            throw error
        }
        try flush()
    }

    /// Adds a file; `false`, and nothing changed, when that name is taken already, also by a rival at the same instant.
    package func add(_ content: [UInt8], as name: String, mode: UInt32 = 0o600) throws(ServiceError) -> Bool {
        let temporary = try writeTemporary(content, mode: mode)
        defer { unlink(temporary) }
        guard link(temporary, location(of: name)) == 0 else {
            if errno == EEXIST { return false }
            throw failure("name", location(of: name))
        }
        try flush()
        return true
    }

    /// Takes a file away; none is as good.
    package func remove(_ name: String) throws(ServiceError) {
        guard unlink(location(of: name)) == 0 || errno == ENOENT else {
            throw failure("remove", location(of: name))
        }
        try flush()
    }

    /// Gives a file another name within the folder.
    package func move(_ name: String, to newName: String) throws(ServiceError) {
        guard rename(location(of: name), location(of: newName)) == 0 else {
            throw failure("rename", location(of: name))
        }
        try flush()
    }

    /// The names in the folder, sorted, what is half-written left out; none when there is no folder.
    package func names() throws(ServiceError) -> [String] {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return [] }
            throw failure("list", path)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    func location(of name: String) -> String { path + "/" + name }

    /// Makes what was renamed, linked or removed here durable.
    func flush() throws(ServiceError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("flush", path) }
    }

    /// Names beginning with a dot never belong to a file that is whole.
    private func writeTemporary(_ content: [UInt8], mode: UInt32) throws(ServiceError) -> String {
        let name = location(of: ".new-\(getpid())-\(UInt64.random(in: .min ... .max))")
        let file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("create", name) }
        defer { close(file) }
        var written = 0
        while written < content.count {
            let count = content.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + written, $0.count - written) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let error = failure("write", name)
                unlink(name)
                throw error
            }
            written += count
        }
        guard fsync(file) == 0 else {
            let error = failure("flush", name)
            unlink(name)
            throw error
        }
        return name
    }

    func failure(_ action: String, _ location: String) -> ServiceError {
        let number = errno
        let code: ServiceError.Code =
            switch number {
            case ENOSPC, EDQUOT: .storageFull
            case EACCES, EPERM: .failedPrecondition
            default: .internalError
            }
        return ServiceError(
            code, "cannot \(action) \(location): \(String(cString: strerror(number)))",
            nextStep: number == EACCES || number == EPERM
                ? "Run the program as the user who owns that folder." : nil)
    }
}
