import Artifacts
import BlockingIO
import Domain
import Engines
import Glibc
import Synchronization

/// Sees from outside what a task has changed in its workspace since the last look: by sizes and times, so that a look costs
/// little. The task may run meanwhile: no link is followed, and what cannot be read counts as gone. Every call blocks.
final class WorkspaceWatch: Sendable {
    private static let filesLimit = 60_000
    /// Of a content that is kept with an effect.
    private static let textLimit = 64 << 10

    private struct Mark: Equatable {
        let size: Int
        let inode: UInt
        let modified: [Int]
    }

    private let site: String
    private let marks = Mutex<[String: Mark]>([:])

    init(site: String) { self.site = site }

    /// Takes what is there now as known.
    func begin() {
        let found = Self.walk(site)
        marks.withLock { $0 = found }
    }

    /// What differs from `base`, every file read; for a task that an earlier agent started.
    func begin(since base: Manifest) -> [StepEffect] {
        let found = Self.walk(site)
        marks.withLock { $0 = found }
        var effects: [StepEffect] = []
        for path in found.keys.sorted() {
            let effect = read(path)
            let known = (try? SitePath(path)).flatMap { base.entry(at: $0)?.digest }
            if effect.digest != known { effects.append(effect) }
        }
        effects += base.entries.map(\.path.text).filter { found[$0] == nil }.map { StepEffect(path: $0, digest: nil) }
        return effects
    }

    /// What changed since the last look, sorted by path.
    func look() -> [StepEffect] {
        let found = Self.walk(site)
        let before = marks.withLock { marks in
            defer { marks = found }
            return marks
        }
        let changed = found.keys.filter { before[$0] != found[$0] }
        let gone = before.keys.filter { found[$0] == nil }
        return (changed + gone).sorted().map { found[$0] == nil ? StepEffect(path: $0, digest: nil) : read($0) }
    }

    // MARK: Files

    private static func walk(_ site: String) -> [String: Mark] {
        var found: [String: Mark] = [:]
        guard let root = try? BeneathFile(root: site) else { return found }
        walk(root, prefix: "", depth: 1, into: &found)
        return found
    }

    private static func walk(_ folder: BeneathFile, prefix: String, depth: Int, into found: inout [String: Mark]) {
        guard depth <= SitePath.maximumDepth, let names = try? folder.names() else { return }
        for name in names where found.count < filesLimit {
            guard let text = String(validating: name, as: UTF8.self) else { continue }
            var status = stat()
            guard fstatat(folder.descriptor, text, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                if let child = try? BeneathFile(text, in: folder, flags: O_RDONLY | O_DIRECTORY) {
                    walk(child, prefix: prefix + text + "/", depth: depth + 1, into: &found)
                }
            case S_IFREG:
                found[prefix + text] = Mark(
                    size: Int(status.st_size), inode: UInt(status.st_ino),
                    modified: [
                        status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
                    ])
            default: break
            }
        }
    }

    private func read(_ path: String) -> StepEffect {
        guard let file = try? Self.open(path, in: site), let status = try? file.status(),
            status.st_mode & S_IFMT == S_IFREG
        else { return StepEffect(path: path, digest: nil) }
        var hasher = ContentHasher()
        var short: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while let count = try? file.read(into: &buffer), count > 0 {
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            if short.count <= Self.textLimit { short += buffer[..<count] }
        }
        let text = short.count <= Self.textLimit ? String(validating: short, as: UTF8.self) : nil
        return StepEffect(path: path, digest: hasher.finish(), text: text)
    }

    private static func open(_ path: String, in site: String) throws -> BeneathFile {
        var folder = try BeneathFile(root: site)
        let components = path.split(separator: "/").map(String.init)
        for component in components.dropLast() {
            folder = try BeneathFile(component, in: folder, flags: O_RDONLY | O_DIRECTORY)
        }
        return try BeneathFile(components.last ?? "", in: folder, flags: O_RDONLY | O_NONBLOCK)
    }

    /// Puts `bytes` in the place of a file, or takes it away. Throws when something is in the way.
    func write(_ bytes: [UInt8]?, to path: String) throws {
        var folder = try BeneathFile(root: site)
        let components = path.split(separator: "/").map(String.init)
        for component in components.dropLast() {
            if bytes != nil, mkdirat(folder.descriptor, component, 0o755) != 0, errno != EEXIST {
                throw SystemCallError("mkdirat", on: path)
            }
            folder = try BeneathFile(component, in: folder, flags: O_RDONLY | O_DIRECTORY)
        }
        let name = components.last ?? ""
        if unlinkat(folder.descriptor, name, 0) != 0, errno != ENOENT { throw SystemCallError("unlinkat", on: path) }
        guard let bytes else { return }
        let descriptor = openat(folder.descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemCallError("openat", on: path) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemCallError("write", on: path) }
            done += count
        }
    }
}
