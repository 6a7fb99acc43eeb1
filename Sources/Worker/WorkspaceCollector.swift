import Artifacts
import BlockingIO
import Domain
import Glibc

/// Lists what a task left in its workspace. Nothing in there is believed: no link is followed, nothing but plain files
/// is taken, and every limit is checked again. To be used when no process of the task is left. Blocks.
struct WorkspaceCollector {
    /// Something in the workspace that cannot become part of a site, as a sentence for its owner.
    struct Refusal: Error, Equatable {
        let rule: String
        let message: String
    }

    private let root: BeneathFile
    private let limits: Manifest.Limits
    private let isStopped: () -> Bool
    private var entries: [Manifest.Entry] = []
    private var totalSizeInBytes: Int64 = 0
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    private init(site: String, limits: Manifest.Limits, isStopped: @escaping () -> Bool) throws {
        root = try BeneathFile(root: site)
        self.limits = limits
        self.isStopped = isStopped
    }

    /// - Parameter isStopped: asked between files, because the work may be called off.
    static func collect(
        _ site: String, limits: Manifest.Limits = .standard, unless isStopped: @escaping () -> Bool = { false }
    ) throws -> Manifest {
        var collector = try WorkspaceCollector(site: site, limits: limits, isStopped: isStopped)
        try collector.walk(collector.root, prefix: "", depth: 1)
        do {
            return try Manifest(collector.entries, limits: limits)
        } catch {
            throw Refusal(rule: error.rule ?? "manifest", message: error.message)
        }
    }

    private mutating func walk(_ folder: BeneathFile, prefix: String, depth: Int) throws {
        guard depth <= SitePath.maximumDepth else {
            throw Refusal(rule: "path-depth", message: "the folder \"\(prefix.shownAsPath)\" is nested too deeply")
        }
        for name in try folder.names() {
            if isStopped() { throw CancellationError() }
            guard let text = String(validating: name, as: UTF8.self) else {
                throw Refusal(
                    rule: "path-encoding",
                    message:
                        "the name \"\((prefix + String(decoding: name, as: UTF8.self)).shownAsPath)\" is not proper text"
                )
            }
            let path = prefix + text
            var status = stat()
            try SystemCallError.check("fstatat", on: path) {
                fstatat(folder.descriptor, text, &status, AT_SYMLINK_NOFOLLOW)
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                // A task may have taken the rights away from its own folders and files.
                if status.st_mode & 0o700 != 0o700 { fchmodat(folder.descriptor, text, 0o700, 0) }
                let child = try Self.open(text, in: folder, path: path, flags: O_RDONLY | O_DIRECTORY)
                try walk(child, prefix: path + "/", depth: depth + 1)
            case S_IFREG:
                if status.st_mode & 0o400 == 0 { fchmodat(folder.descriptor, text, 0o600, 0) }
                try add(path: path, file: Self.open(text, in: folder, path: path, flags: O_RDONLY | O_NONBLOCK))
            case S_IFLNK: throw Self.refuse(path, "is a symbolic link")
            case S_IFIFO: throw Self.refuse(path, "is a named pipe")
            case S_IFSOCK: throw Self.refuse(path, "is a socket")
            default: throw Self.refuse(path, "is a device")
            }
        }
    }

    private static func refuse(_ path: String, _ what: String) -> Refusal {
        Refusal(
            rule: "file-type",
            message: "\"\(path.shownAsPath)\" \(what); a site can contain plain files and folders only")
    }

    private mutating func add(path: String, file: BeneathFile) throws {
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else { throw Self.refuse(path, "is not a plain file") }
        guard Int64(status.st_size) <= limits.fileSizeInBytes else {
            throw Refusal(
                rule: "file-size",
                message: "the file \"\(path.shownAsPath)\" has more than \(limits.fileSizeInBytes >> 20) MiB")
        }
        totalSizeInBytes += Int64(status.st_size)
        guard totalSizeInBytes <= limits.totalSizeInBytes else {
            throw Refusal(rule: "total-size", message: "the site has more than \(limits.totalSizeInBytes >> 20) MiB")
        }
        guard entries.count < limits.files else {
            throw Refusal(rule: "file-count", message: "the site has more than \(limits.files) files")
        }
        let sitePath: SitePath
        do {
            sitePath = try SitePath(path)
        } catch {
            throw Refusal(rule: error.rule ?? "path", message: error.message)
        }
        var hasher = ContentHasher()
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { break }
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
        entries.append(
            Manifest.Entry(path: sitePath, sizeInBytes: hasher.sizeInBytes, digest: hasher.finish()))
    }

    private static func open(_ name: String, in folder: BeneathFile, path: String, flags: Int32) throws -> BeneathFile {
        do {
            return try BeneathFile(name, in: folder, flags: flags)
        } catch let error as SystemCallError where error.code == ELOOP || error.code == EXDEV {
            throw refuse(path, "is a symbolic link")
        }
    }
}

extension String {
    /// A name that a stranger gave, fit for a message.
    var shownAsPath: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.prefix(120).map { $0.value < 0x20 || $0.value == 0x7f ? "\u{FFFD}" : $0 }))
    }
}
