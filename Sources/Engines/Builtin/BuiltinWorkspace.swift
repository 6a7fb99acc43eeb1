import Glibc

/// The files of a site in a folder, and what is to become of them. Nothing is written before ``commit()``.
///
/// No symbolic link is ever followed, neither as a file nor as a folder on the way.
struct BuiltinWorkspace: ~Copyable {
    private static let fileLimit = 8 << 20
    private static let countLimit = 50_000
    private static let depthLimit = 32

    private let root: Int32
    private var original: Set<String> = []
    private var cache: [String: [UInt8]] = [:]
    /// `nil` for files that are to go.
    private var changes: [String: [UInt8]?] = [:]

    init(at path: String) throws {
        root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw WorkspaceError("open the folder", path) }
        try list(root, prefix: "", depth: 0)
    }

    deinit { close(root) }

    // MARK: Reading

    /// All paths as they will be, sorted.
    var paths: [String] {
        let present = original.filter { changes[$0].map { $0 != nil } ?? true }
        return present.union(changes.compactMap { $0.value != nil ? $0.key : nil }).sorted()
    }

    func has(_ path: String) -> Bool {
        if let change = changes[path] { return change != nil }
        return original.contains(path)
    }

    /// Whether there is a file whose path differs at most in upper and lower case.
    func hasAlmost(_ path: String) -> Bool {
        let folded = path.lowercased()
        return paths.contains { $0.lowercased() == folded || $0.lowercased().hasPrefix(folded + "/") }
    }

    /// The pages as they will be, sorted; the home page first.
    var pages: [String] {
        let pages = paths.filter { $0.hasSuffix(".html") || $0.hasSuffix(".htm") }
        return pages.filter { $0 == "index.html" } + pages.filter { $0 != "index.html" }
    }

    /// A file as it will be.
    mutating func read(_ path: String) throws -> [UInt8] {
        if let change = changes[path] { return change ?? [] }
        if let known = cache[path] { return known }
        let bytes = try load(path)
        cache[path] = bytes
        return bytes
    }

    /// Writes nothing yet. Content that is the same as before is no change.
    mutating func write(_ bytes: [UInt8], to path: String) throws {
        if original.contains(path), try load(path) == bytes {
            changes[path] = nil
        } else {
            changes[path] = .some(bytes)
        }
    }

    mutating func remove(_ path: String) {
        changes[path] = original.contains(path) ? .some(nil) : nil
    }

    var changedPaths: [String] { changes.keys.sorted() }

    // MARK: Writing

    /// Writes all changes: first every new content under a name of its own, and only when all of them are there, each to its place.
    mutating func commit() throws {
        var prepared: [(path: String, temporary: String)] = []
        do {
            for path in changedPaths {
                guard let change = changes[path], let bytes = change else { continue }
                let temporary = "\(path).pagewright-new"
                try store(bytes, at: temporary, like: path)
                prepared.append((path, temporary))
            }
        } catch {
            for file in prepared { try? withParent(of: file.temporary) { _ = unlinkat($0, $1, 0) } }
            throw error
        }
        for file in prepared {
            try withParent(of: file.temporary) { folder, name in
                let target = String(file.path.split(separator: "/").last ?? "")
                guard renameat(folder, name, folder, target) == 0 else { throw WorkspaceError("write", file.path) }
            }
        }
        for path in changedPaths {
            guard let change = changes[path], change == nil else { continue }
            try withParent(of: path) { folder, name in
                guard unlinkat(folder, name, 0) == 0 || errno == ENOENT else { throw WorkspaceError("delete", path) }
            }
        }
        for (path, change) in changes { if change == nil { original.remove(path) } else { original.insert(path) } }
        cache = [:]
        changes = [:]
    }

    // MARK: System calls

    private mutating func list(_ folder: Int32, prefix: String, depth: Int) throws {
        guard depth < Self.depthLimit else { return }
        let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { throw WorkspaceError("list the folder", prefix) }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name, name != ".", name != ".." else { continue }
            var status = stat()
            guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                let inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                guard inner >= 0 else { continue }
                defer { close(inner) }
                try list(inner, prefix: prefix + name + "/", depth: depth + 1)
            } else if status.st_mode & S_IFMT == S_IFREG, original.count < Self.countLimit {
                original.insert(prefix + name)
            }
        }
    }

    /// Opens the folder of a path step by step, so that no step can be a link.
    private func withParent<Value>(
        of path: String, creating: Bool = false, _ body: (_ folder: Int32, _ name: String) throws -> Value
    ) throws -> Value {
        let parts = path.split(separator: "/").map(String.init)
        var folder = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0, let name = parts.last, !parts.contains("..") else { throw WorkspaceError("open", path) }
        defer { close(folder) }
        for part in parts.dropLast() {
            if creating { mkdirat(folder, part, 0o755) }
            let inner = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard inner >= 0 else { throw WorkspaceError("open the folder of", path) }
            close(folder)
            folder = inner
        }
        return try body(folder, name)
    }

    private func load(_ path: String) throws -> [UInt8] {
        try withParent(of: path) { folder, name in
            let file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { throw WorkspaceError("read", path) }
            defer { close(file) }
            var status = stat()
            guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.fileLimit else {
                throw WorkspaceError("read", path, reason: "it is too large or not a plain file")
            }
            var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress! + done, $0.count - done) }
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw WorkspaceError("read", path) }
                if count == 0 { break }
                done += count
            }
            bytes.removeLast(bytes.count - done)
            return bytes
        }
    }

    private func store(_ bytes: [UInt8], at path: String, like existing: String) throws {
        try withParent(of: path, creating: true) { folder, name in
            _ = unlinkat(folder, name, 0)
            let file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
            guard file >= 0 else { throw WorkspaceError("write", existing) }
            defer { close(file) }
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    let failure = WorkspaceError("write", existing)
                    _ = unlinkat(folder, name, 0)
                    throw failure
                }
                done += count
            }
        }
    }
}

/// What the system refused.
struct WorkspaceError: Error, CustomStringConvertible {
    let description: String

    init(_ action: String, _ path: String, reason: String? = nil) {
        let why = reason ?? String(cString: strerror(errno))
        description = "could not \(action) \(path.quoted): \(why)"
    }
}
