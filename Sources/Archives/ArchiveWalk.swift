import BlockingIO
import Domain
import Glibc
import NIOCore

/// Goes through an archive entry by entry and decides about each before its content is read. Blocks.
final class ArchiveWalk {
    /// What happens, in order; so many of them at a time that handing them over costs little.
    enum Event: Sendable {
        case begin(SitePath)
        case piece(ByteBuffer)
        case end
    }

    private static let eventsAtOnce = 256
    private static let bytesAtOnce = 256 << 10

    private let items: any ArchiveItems
    private let limits: Manifest.Limits
    private let mostEntries: Int
    private var entries = 0
    private var files = 0
    private var totalSize: Int64 = 0
    private var leftOutSize: Int64 = 0
    private var current: SitePath?
    private var currentSize: Int64 = 0
    private var isAtEnd = false
    private(set) var leftOut = LeftOutFiles()

    init(archiveAt path: String, limits: Manifest.Limits) throws {
        self.limits = limits
        // Folders and files that are left out come on top of the files of the site.
        mostEntries = limits.files * 2 + 1_000
        let start = try Self.start(of: path)
        if start.starts(with: [0x1f, 0x8b]) {
            items = TarItems(try GunzippedBytes(path))
        } else if start.starts(with: [0x50, 0x4b, 0x03, 0x04]) || start.starts(with: [0x50, 0x4b, 0x05, 0x06]) {
            items = try ZipItems(path, mostEntries: mostEntries)
        } else {
            items = TarItems(try FileBytes(path))
        }
    }

    /// The next events; none at the end of the archive.
    func next() throws -> [Event] {
        var events: [Event] = []
        var bytes = 0
        while !isAtEnd && events.count < Self.eventsAtOnce && bytes < Self.bytesAtOnce {
            if current == nil {
                guard let file = try nextFile() else {
                    isAtEnd = true
                    return events
                }
                current = file
                currentSize = 0
                events.append(.begin(file))
            }
            let piece = try items.nextPiece()
            if piece.readableBytes > 0 {
                try count(piece)
                bytes += piece.readableBytes
                events.append(.piece(piece))
            } else {
                current = nil
                events.append(.end)
            }
        }
        return events
    }

    /// The next file that may be one of the site's.
    private func nextFile() throws -> SitePath? {
        while let item = try items.next() {
            entries += 1
            guard entries <= mostEntries else {
                throw ServiceError.archive("file-count", "the archive has more than \(mostEntries) entries")
            }
            guard let path = try Self.path(of: item) else { continue }
            try Self.check(item, at: path)
            guard item.kind == .file else { continue }
            guard item.sizeInBytes ?? 0 <= limits.fileSizeInBytes else { throw tooLarge(path) }
            if LeftOutFiles.isLeftOut(path) {
                try leaveOut(path)
                continue
            }
            files += 1
            guard files <= limits.files else {
                throw ServiceError.archive("file-count", "the archive has more than \(limits.files) files")
            }
            guard totalSize + (item.sizeInBytes ?? 0) <= limits.totalSizeInBytes else { throw tooLargeInTotal }
            return path
        }
        return nil
    }

    private func leaveOut(_ path: SitePath) throws {
        leftOut.add(path)
        var size: Int64 = 0
        while true {
            let count = try items.nextPiece().readableBytes
            if count == 0 { return }
            size += Int64(count)
            leftOutSize += Int64(count)
            guard size <= limits.fileSizeInBytes else { throw tooLarge(path) }
            guard leftOutSize <= limits.totalSizeInBytes else { throw tooLargeInTotal }
        }
    }

    private func count(_ piece: ByteBuffer) throws {
        currentSize += Int64(piece.readableBytes)
        totalSize += Int64(piece.readableBytes)
        guard currentSize <= limits.fileSizeInBytes else { throw tooLarge(current!) }
        guard totalSize <= limits.totalSizeInBytes else { throw tooLargeInTotal }
    }

    /// `nil` for the folder that the archive was made in.
    private static func path(of item: ArchiveItem) throws -> SitePath? {
        guard var text = String(validating: item.name, as: UTF8.self) else {
            throw ServiceError(
                .validationFailed, "a name in the archive is not proper UTF-8", field: "path", rule: "path-encoding")
        }
        while text.utf8.starts(with: "./".utf8) { text = String(decoding: text.utf8.dropFirst(2), as: UTF8.self) }
        if item.kind == .folder {
            if text.utf8.last == UInt8(ascii: "/") && text.utf8.count > 1 {
                text = String(decoding: text.utf8.dropLast(), as: UTF8.self)
            }
            if text.isEmpty || text == "." { return nil }
        }
        return try SitePath(text)
    }

    private static func check(_ item: ArchiveItem, at path: SitePath) throws {
        let (rule, what) =
            switch item.kind {
            case .file, .folder: ("", "")
            case .symbolicLink: ("archive-symlink", "a symbolic link")
            case .hardLink: ("archive-hardlink", "a hard link")
            case .device: ("archive-device", "a device")
            case .pipe: ("archive-fifo", "a named pipe")
            case .socket: ("archive-socket", "a socket")
            case .sparseFile: ("archive-sparse", "a file with holes")
            case .other: ("archive-type", "something that is neither a file nor a folder")
            }
        guard rule.isEmpty else {
            throw ServiceError.archive(
                rule, "\"\(path)\" in the archive is \(what)", nextStep: "Send plain files and folders only.")
        }
    }

    private func tooLarge(_ path: SitePath) -> ServiceError {
        ServiceError.archive(
            "file-size", "the file \"\(path)\" in the archive has more than \(limits.fileSizeInBytes) bytes")
    }

    private var tooLargeInTotal: ServiceError {
        ServiceError.archive(
            "total-size", "the files in the archive have more than \(limits.totalSizeInBytes) bytes together")
    }

    private static func start(of path: String) throws -> [UInt8] {
        let file = try OpenFile(path, flags: O_RDONLY)
        return try Array(unsafeUninitializedCapacity: 4) { buffer, count in
            count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
