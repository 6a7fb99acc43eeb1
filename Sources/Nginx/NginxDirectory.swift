import Glibc
import Logging

/// The folder of nginx's own files: configuration, pages, log, process number, scratch space.
struct NginxDirectory: Sendable {
    static let configurationName = "nginx.conf"
    private static let maximumLogSize: off_t = 16 << 20
    let path: String

    var pages: String { path + "/pages" }
    var log: String { path + "/error.log" }

    /// The path without symbolic links in it; the path itself while it is not there.
    var canonicalPath: String {
        mkdir(path, 0o755)
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Makes what is missing. Safe to repeat.
    func prepare() throws(NginxError) {
        // nginx's configuration has no way to write these, and a dollar sign would be read as a variable.
        guard path.hasPrefix("/"), !path.utf8.contains(where: { $0 < 0x20 || "\"\\$".utf8.contains($0) }) else {
            throw NginxError(
                .directory, "nginx cannot work in the folder \(path)",
                nextStep: "Choose a state folder without quotes, backslashes and dollar signs in its name.")
        }
        for folder in [path, path + "/tmp", pages] where mkdir(folder, 0o755) != 0 && errno != EEXIST {
            throw Self.failure(folder)
        }
        for page in NginxPages.files { try write(page.text, to: "pages/\(page.name)", mode: 0o644) }
    }

    func write(_ text: String, to name: String, mode: mode_t = 0o600) throws(NginxError) {
        try Self.replace("\(path)/\(name)", with: text, mode: mode)
    }

    /// Whole or not at all, through a temporary beside it.
    static func replace(_ file: String, with text: String, mode: mode_t = 0o644) throws(NginxError) {
        let slash = file.lastIndex(of: "/")!
        let temporary = file[...slash] + "." + file[file.index(after: slash)...] + ".new"
        let descriptor = open(String(temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(file) }
        var text = text
        let isWritten = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count }
        let isSynced = fsync(descriptor) == 0
        guard close(descriptor) == 0, isWritten, isSynced, rename(String(temporary), file) == 0 else {
            throw failure(file)
        }
    }

    /// The content of a file of at most 1 MiB; `nil` when it cannot be read or is larger.
    static func text(of file: String) -> String? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_size <= 1 << 20 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size))
        guard read(descriptor, &bytes, bytes.count) == bytes.count else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func failure(_ file: String) -> NginxError {
        NginxError(
            .directory, "cannot write \(file): \(String(cString: strerror(errno)))",
            nextStep: "Check that the disk has room and that the agent may write there.")
    }

    // MARK: Log

    func logSize() -> off_t {
        var facts = stat()
        return stat(log, &facts) == 0 ? facts.st_size : 0
    }

    /// What was added since it had `start` bytes, 64 KiB at most.
    func log(from start: off_t) -> String {
        let descriptor = open(log, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = pread(descriptor, &bytes, bytes.count, start)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }

    /// nginx appends, so that the file can be emptied under it.
    func trimLog() {
        if logSize() > Self.maximumLogSize { truncate(log, 0) }
    }

    // MARK: Limits and rights

    static func processID(in file: String) -> pid_t? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &bytes, bytes.count)
        let process = pid_t(
            String(decoding: bytes[..<max(0, count)].prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
        return process.flatMap { kill($0, 0) == 0 || errno == EPERM ? $0 : nil }
    }

    static func openFileLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: min(limit.rlim_max, 16_384))
    }

    /// Whom the workers become when the agent is root: nobody, unless nobody could not reach the files.
    func workerUser(logger: Logger) -> String? {
        guard geteuid() == 0 else { return nil }
        var folder = canonicalPath
        while let slash = folder.lastIndex(of: "/") {
            var facts = stat()
            guard stat(folder.isEmpty ? "/" : folder, &facts) == 0, facts.st_mode & 0o001 != 0 else {
                logger.warning(
                    "nginx serves as root: the state folder is closed to others; run the agent as a user of its own")
                return "root"
            }
            folder = String(folder[..<slash])
        }
        return getgrnam("nogroup") != nil ? "nobody nogroup" : "nobody nobody"
    }
}
