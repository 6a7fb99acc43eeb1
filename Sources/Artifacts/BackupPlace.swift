package import BlockingIO
import Domain
import Glibc

/// Where backups are: a few large files and many small ones, by name. A name has letters, digits, dots, hyphens, and `/`
/// between folders.
package protocol BackupPlace: Sendable {
    /// As an operator wrote it, without secrets.
    var address: String { get }
    /// The names of all files that begin with `prefix`, sorted; with no prefix, those that are in no folder.
    func names(beginningWith prefix: String) async throws -> [String]
    /// Puts a local file there. Nobody sees half of it; what has that name is replaced.
    func put(_ path: String, as name: String) async throws
    /// Brings a file here. Throws `notFound` when there is none.
    func fetch(_ name: String, to path: String) async throws
    /// None is as good.
    func remove(_ name: String) async throws
}

/// Backups in a folder: another disk, or what another machine shares.
package struct FolderBackupPlace: BackupPlace {
    package let address: String
    private let pool: BlockingPool

    /// `directory` is made when it is missing; the folder above it must be there, so that a disk that is not mounted is
    /// noticed.
    package init(directory: String, pool: BlockingPool) async throws {
        address = directory
        self.pool = pool
        try await pool.run("cannot make the folder \(directory)") {
            if mkdir(directory, 0o700) != 0 && errno != EEXIST { throw SystemCallError("mkdir", on: directory) }
        }
    }

    package func names(beginningWith prefix: String) async throws -> [String] {
        let root = address
        return try await pool.run("cannot list \(root)") {
            guard !prefix.isEmpty else { return try Self.list(root).filter { !$0.isFolder }.map(\.name).sorted() }
            var found: [String] = []
            var open = [""]
            while let folder = open.popLast() {
                for entry in try Self.list(folder.isEmpty ? root : root + "/" + folder) {
                    let name = folder.isEmpty ? entry.name : folder + "/" + entry.name
                    if entry.isFolder {
                        if (name + "/").hasPrefix(prefix) || prefix.hasPrefix(name + "/") { open.append(name) }
                    } else if name.hasPrefix(prefix) {
                        found.append(name)
                    }
                }
            }
            return found.sorted()
        }
    }

    package func put(_ path: String, as name: String) async throws {
        let root = address
        try await pool.run("cannot keep \(name) in \(root)") {
            let folders = name.split(separator: "/").dropLast()
            var folder = root
            for part in folders {
                folder += "/" + part
                if mkdir(folder, 0o700) != 0 && errno != EEXIST { throw SystemCallError("mkdir", on: folder) }
            }
            let temporary = "\(folder)/.new-\(getpid())-\(UInt64.random(in: .min ... .max))"
            do {
                try Self.copy(path, to: temporary)
                guard rename(temporary, "\(root)/\(name)") == 0 else { throw SystemCallError("rename", on: name) }
                try Self.sync(folder)
            } catch {
                unlink(temporary)
                throw error
            }
        }
    }

    package func fetch(_ name: String, to path: String) async throws {
        let source = "\(address)/\(name)"
        try await pool.run("cannot read \(source)") {
            guard access(source, F_OK) == 0 else { throw ServiceError(.notFound, "there is no \(source)") }
            unlink(path)
            try Self.copy(source, to: path)
        }
    }

    package func remove(_ name: String) async throws {
        let path = "\(address)/\(name)"
        try await pool.run("cannot remove \(path)") {
            if unlink(path) != 0 && errno != ENOENT { throw SystemCallError("unlink", on: path) }
        }
    }

    private static func list(_ folder: String) throws -> [(name: String, isFolder: Bool)] {
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw SystemCallError("opendir", on: folder)
        }
        defer { closedir(stream) }
        var entries: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0 else { continue }
            let kind = status.st_mode & S_IFMT
            if kind == S_IFDIR || kind == S_IFREG { entries.append((name, kind == S_IFDIR)) }
        }
        return entries
    }

    /// A new file, flushed.
    private static func copy(_ source: String, to target: String) throws {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemCallError("open", on: source) }
        defer { close(input) }
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw SystemCallError("open", on: target) }
        defer { close(output) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(input, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemCallError("read", on: source) }
            if count == 0 { break }
            var written = 0
            while written < count {
                let sent = buffer.withUnsafeBytes { write(output, $0.baseAddress! + written, count - written) }
                if sent < 0 && errno == EINTR { continue }
                guard sent > 0 else { throw SystemCallError("write", on: target) }
                written += sent
            }
        }
        guard fsync(output) == 0 else { throw SystemCallError("fsync", on: target) }
    }

    private static func sync(_ folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError("open", on: folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemCallError("fsync", on: folder) }
    }
}
