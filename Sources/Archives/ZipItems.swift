import BlockingIO
import CArchive
import Domain
import Glibc
import NIOCore

/// Reads a zip archive by its directory at the end; libarchive does the work. Blocks.
final class ZipItems: ArchiveItems {
    private let file: OpenFile
    private let archive: OpaquePointer
    private let locale = UTF8Locale()

    /// Refuses more than `mostEntries` before libarchive makes a list of them in memory.
    init(_ path: String, mostEntries: Int) throws {
        file = try OpenFile(path, flags: O_RDONLY)
        try ZipDirectoryScan.check(file, mostEntries: mostEntries)
        lseek(file.descriptor, 0, SEEK_SET)
        archive = archive_read_new()
        archive_read_support_format_zip_seekable(archive)
        guard archive_read_open_fd(archive, file.descriptor, 64 << 10) == ARCHIVE_OK else {
            throw ServiceError.damaged(archive)
        }
    }

    deinit {
        archive_read_free(archive)
    }

    func next() throws -> ArchiveItem? {
        try locale.use {
            var pointer: OpaquePointer?
            switch archive_read_next_header(archive, &pointer) {
            case ARCHIVE_OK, ARCHIVE_WARN: break
            case ARCHIVE_EOF: return nil
            default: throw ServiceError.damaged(archive)
            }
            guard let entry = pointer else { throw ServiceError.damaged(archive) }
            guard archive_entry_is_encrypted(entry) == 0 else {
                throw ServiceError.archive(
                    "archive-encrypted", "the archive is encrypted", nextStep: "Send it without a password.")
            }
            guard let name = archive_entry_pathname(entry) else {
                throw ServiceError(
                    .validationFailed, "a name in the archive is not proper UTF-8", field: "path", rule: "path-encoding"
                )
            }
            return ArchiveItem(
                kind: Self.kind(of: entry), name: Array(UnsafeRawBufferPointer(start: name, count: strlen(name))),
                sizeInBytes: archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : nil)
        }
    }

    func nextPiece() throws -> ByteBuffer {
        var piece = ByteBufferAllocator().buffer(capacity: 256 << 10)
        let archive = archive
        try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { space in
            let count = archive_read_data(archive, space.baseAddress, space.count)
            guard count >= 0 else { throw ServiceError.damaged(archive) }
            return count
        }
        return piece
    }

    private static func kind(of entry: OpaquePointer) -> ArchiveItem.Kind {
        if archive_entry_hardlink(entry) != nil { return .hardLink }
        return switch mode_t(archive_entry_filetype(entry)) {
        case S_IFREG: archive_entry_sparse_count(entry) > 0 ? .sparseFile : .file
        case S_IFDIR: .folder
        case S_IFLNK: .symbolicLink
        case S_IFBLK, S_IFCHR: .device
        case S_IFIFO: .pipe
        case S_IFSOCK: .socket
        default: .other
        }
    }
}

extension ServiceError {
    /// What libarchive did not like.
    fileprivate static func damaged(_ archive: OpaquePointer) -> ServiceError {
        let detail = archive_error_string(archive).map { String(cString: $0) } ?? "for an unknown reason"
        return damagedArchive(String(detail.unicodeScalars.prefix(200).map { $0.value < 0x20 ? " " : Character($0) }))
    }
}
