import CArchive
import Foundation

/// A folder as a tar.gz. The same files make the same bytes, wherever and whenever they are packed.
struct FolderArchive {
    struct Summary: Equatable {
        var files = 0
        var sizeInBytes: Int64 = 0
        /// Paths that stayed behind: dotfiles, and folders that begin with a dot.
        var leftOut: [String] = []
    }

    let folder: String
    let followsLinks: Bool

    /// Writes the archive at `path`.
    func write(to path: String) throws -> Summary {
        var summary = Summary()
        var files: [String] = []
        var visited: Set<FileKey> = []
        try collect("", into: &files, visited: &visited, summary: &summary)
        files.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard !files.isEmpty else {
            throw CLIError(.failed, "\(folder) holds no files", nextStep: "Name the folder that holds index.html.")
        }
        summary.sizeInBytes = try TarWriter.inUTF8Locale {
            let writer = try TarWriter(path: path)
            let sizes = try files.map { try writer.add($0, from: folder + "/" + $0) }
            try writer.finish()
            return sizes.reduce(0, +)
        }
        summary.files = files.count
        return summary
    }

    private struct FileKey: Hashable {
        let device: UInt
        let inode: UInt
    }

    private func collect(
        _ prefix: String, into files: inout [String], visited: inout Set<FileKey>, summary: inout Summary
    ) throws {
        let directory = prefix.isEmpty ? folder : folder + "/" + prefix
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw CLIError(.failed, "cannot read the folder \(directory)")
        }
        var here = stat()
        guard stat(directory, &here) == 0, visited.insert(FileKey(device: here.st_dev, inode: here.st_ino)).inserted
        else { throw CLIError(.failed, "\(directory) leads back into itself") }
        for name in names.sorted() {
            let relative = prefix.isEmpty ? name : prefix + "/" + name
            if name.hasPrefix("."), name != ".well-known" {
                summary.leftOut.append(relative)
                continue
            }
            var info = stat()
            guard (followsLinks ? stat(folder + "/" + relative, &info) : lstat(folder + "/" + relative, &info)) == 0
            else {
                throw CLIError(.failed, "cannot read \(relative): \(String(cString: strerror(errno)))")
            }
            switch info.st_mode & S_IFMT {
            case S_IFDIR: try collect(relative, into: &files, visited: &visited, summary: &summary)
            case S_IFREG: files.append(relative)
            case S_IFLNK:
                throw CLIError(
                    .failed, "\(relative) is a symbolic link", nextStep: "Pack what it leads to with --follow-links.")
            default: throw CLIError(.failed, "\(relative) is neither a file nor a folder")
            }
        }
        visited.remove(FileKey(device: here.st_dev, inode: here.st_ino))
    }
}

/// Writes a gzipped tar that holds nothing of the machine it was made on: no times, owners or rights.
private final class TarWriter {
    private let archive: OpaquePointer

    init(path: String) throws {
        guard let archive = archive_write_new() else { throw CLIError(.failed, "there is no memory for an archive") }
        self.archive = archive
        archive_write_add_filter_gzip(archive)
        archive_write_set_format_pax_restricted(archive)
        try check(archive_write_set_options(archive, "gzip:!timestamp,gzip:compression-level=6"))
        try check(archive_write_open_filename(archive, path))
    }

    deinit { archive_write_free(archive) }

    /// Runs `body` where names are UTF-8 whatever the terminal speaks: libarchive asks the thread's locale.
    static func inUTF8Locale<Value>(_ body: () throws -> Value) throws -> Value {
        guard let locale = newlocale(1 << LC_CTYPE, "C.UTF-8", nil) else {
            throw CLIError(.failed, "the C library has no C.UTF-8 locale")
        }
        let before = uselocale(locale)
        defer {
            uselocale(before)
            freelocale(locale)
        }
        return try body()
    }

    /// Returns the file's size.
    func add(_ name: String, from path: String) throws -> Int64 {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw CLIError(.failed, "cannot read \(path)") }
        defer { try? handle.close() }
        let size = Int64(try handle.seekToEnd())
        try handle.seek(toOffset: 0)
        let entry = archive_entry_new()
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname_utf8(entry, name)
        archive_entry_set_filetype(entry, 0o100000)
        archive_entry_set_perm(entry, 0o644)
        archive_entry_set_size(entry, size)
        archive_entry_set_mtime(entry, 0, 0)
        try check(archive_write_header(archive, entry))
        var written: Int64 = 0
        while let piece = try handle.read(upToCount: 256 << 10), !piece.isEmpty {
            let count = piece.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
            if count < 0 { try check(ARCHIVE_FATAL) }
            written += Int64(piece.count)
        }
        guard written == size else {
            throw CLIError(
                .failed, "\(path) changed while it was read", nextStep: "Try again when nothing writes to it.")
        }
        return size
    }

    func finish() throws { try check(archive_write_close(archive)) }

    private func check(_ code: Int32) throws {
        guard code < ARCHIVE_WARN else { return }
        throw CLIError(
            .failed, "cannot pack: \(archive_error_string(archive).map { String(cString: $0) } ?? "unknown")")
    }
}
