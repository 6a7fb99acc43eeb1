import BlockingIO
import Domain
import Engines
import FoundationEssentials
import Glibc

/// What engines remember of conversations between edits, a file for each on this worker. Only a help: when it is gone,
/// or the next edit runs elsewhere, the engine begins anew and is told what was said before. Every call blocks.
struct ConversationMemory: Sendable {
    /// Of one conversation, in bytes.
    private static let sizeLimit = 8 << 20
    private static let fileLimit = 64
    private static let depthLimit = 8
    /// How many conversations; those that were not used for longest go.
    private static let capacity = 200

    let directory: String

    private struct Head: Codable {
        struct File: Codable {
            let path: String
            let size: Int
        }
        let memory: EngineMemory
        let files: [File]
    }

    /// Puts what is remembered into `state`, where nothing is yet; `nil` when there is nothing.
    func restore(_ conversation: String, of engine: EngineName, into state: String) throws -> EngineMemory? {
        guard let path = path(conversation, engine),
            let bundle = try? OpenFile(path, flags: O_RDONLY), let bytes = try? Self.readAll(bundle),
            let end = bytes.firstIndex(of: 0x0a),
            let head = try? JSONDecoder().decode(Head.self, from: Data(bytes[..<end]))
        else { return nil }
        var position = end + 1
        for file in head.files {
            guard file.size >= 0, position + file.size <= bytes.count, let safe = try? SitePath(file.path) else {
                return nil
            }
            var folder = state
            for part in safe.components.dropLast() {
                folder += "/" + part
                try Workspace.makeFolder(folder)
            }
            let target = try OpenFile(
                state + "/" + safe.text, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            try bytes[position..<position + file.size].withUnsafeBytes { try target.write($0) }
            try target.close()
            position += file.size
        }
        return head.memory
    }

    /// What is remembered without its files, for an engine that has them already.
    func memory(of conversation: String, _ engine: EngineName) throws -> EngineMemory? {
        guard let path = path(conversation, engine), let bundle = try? OpenFile(path, flags: O_RDONLY),
            let bytes = try? Self.readAll(bundle), let end = bytes.firstIndex(of: 0x0a)
        else { return nil }
        return try? JSONDecoder().decode(Head.self, from: Data(bytes[..<end])).memory
    }

    /// Keeps the folders `names` of `state`. What is too large is not kept.
    func save(
        _ memory: EngineMemory, folders names: [String], of state: String, as conversation: String,
        of engine: EngineName
    ) throws {
        guard let path = path(conversation, engine) else { return }
        var files: [(path: String, bytes: [UInt8])] = []
        var size = 0
        let root = try BeneathFile(root: state)
        for name in names {
            guard let folder = try? BeneathFile(name, in: root, flags: O_RDONLY | O_DIRECTORY),
                try Self.collect(folder, prefix: name, depth: 0, into: &files, size: &size)
            else { return try forget(conversation, of: engine) }
        }
        let head = Head(memory: memory, files: files.map { .init(path: $0.path, size: $0.bytes.count) })
        var bytes = Array(try JSONEncoder().encode(head))
        bytes.append(0x0a)
        for file in files { bytes += file.bytes }
        try Workspace.makeFolder(directory)
        let draft = "\(path).new"
        unlink(draft)
        let target = try OpenFile(draft, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        try bytes.withUnsafeBytes { try target.write($0) }
        try target.close()
        try SystemCallError.check("rename", on: path) { rename(draft, path) }
        try trim()
    }

    func forget(_ conversation: String, of engine: EngineName) throws {
        guard let path = path(conversation, engine) else { return }
        if unlink(path) != 0 && errno != ENOENT { throw SystemCallError("unlink", on: path) }
    }

    /// `nil` for a name that cannot be a conversation's.
    private func path(_ conversation: String, _ engine: EngineName) -> String? {
        let isPlain = conversation.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
        }
        guard isPlain, (1...64).contains(conversation.utf8.count) else { return nil }
        return "\(directory)/\(conversation).\(engine.rawValue)"
    }

    /// Whether all of it was taken. Nothing of the folder is trusted: a task could write to it.
    private static func collect(
        _ folder: BeneathFile, prefix: String, depth: Int, into files: inout [(path: String, bytes: [UInt8])],
        size: inout Int
    ) throws -> Bool {
        guard depth < depthLimit else { return false }
        for bytes in try folder.names() {
            guard let name = String(validating: bytes, as: UTF8.self), (try? SitePath(name)) != nil else {
                return false
            }
            guard let file = try? BeneathFile(name, in: folder, flags: O_RDONLY | O_NONBLOCK) else { return false }
            let status = try file.status()
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                guard
                    try collect(file, prefix: "\(prefix)/\(name)", depth: depth + 1, into: &files, size: &size)
                else { return false }
            case S_IFREG:
                size += Int(status.st_size)
                guard size <= sizeLimit, files.count < fileLimit else { return false }
                var content = [UInt8](repeating: 0, count: Int(status.st_size))
                let count = try file.read(into: &content)
                files.append(("\(prefix)/\(name)", Array(content.prefix(count))))
            default: return false
            }
        }
        return true
    }

    private static func readAll(_ file: OpenFile) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    private func trim() throws {
        let names = try FileTree.names(in: OpenFile(folder: directory))
        guard names.count > Self.capacity else { return }
        let aged = names.map { name -> (name: String, used: Int) in
            var status = stat()
            guard lstat(directory + "/" + name, &status) == 0 else { return (name, 0) }
            return (name, status.st_mtim.tv_sec)
        }
        for old in aged.sorted(by: { ($0.used, $0.name) < ($1.used, $1.name) }).prefix(names.count - Self.capacity) {
            unlink(directory + "/" + old.name)
        }
    }
}
