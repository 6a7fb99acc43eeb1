import Domain
import NIOCore

/// Reads a tar archive: POSIX (ustar and pax) and GNU. Strict: what it does not know for sure, it refuses. Blocks.
///
/// The format is read here and not by a library, because names must be seen byte by byte, and because what a header may
/// cost in memory must not be for the archive to say.
final class TarItems: ArchiveItems {
    /// What the headers in front of one entry may amount to, and how many there may be.
    private static let largestExtension = 1 << 20
    private static let mostExtensions = 16
    /// Programs fill their last record, which rarely has more than 10 KiB.
    private static let largestPadding = 16 << 20

    private let source: any ByteSource
    private var remaining: Int64 = 0
    private var padding = 0
    private var isAtStart = true

    init(_ source: any ByteSource) {
        self.source = source
    }

    func next() throws -> ArchiveItem? {
        while try nextPiece().readableBytes > 0 {}
        try skipPadding()
        var extended = PaxRecords()
        var longName: [UInt8]?
        for _ in 0...Self.mostExtensions {
            guard let header = try nextHeader() else { return nil }
            guard let size = header.sizeInBytes else { throw ServiceError.damagedArchive("a size cannot be read") }
            switch header.type {
            case UInt8(ascii: "x"): try extended.add(readExtension(size))
            // What a global header says (a commit, as a rule) is about no file in particular.
            case UInt8(ascii: "g"): _ = try readExtension(size)
            case UInt8(ascii: "L"): longName = try Self.withoutEnd(readExtension(size))
            case UInt8(ascii: "K"): _ = try readExtension(size)
            default:
                return try item(header, size: size, name: extended.path ?? longName ?? header.name, extended)
            }
        }
        throw ServiceError.damagedArchive("too many headers in front of one file")
    }

    func nextPiece() throws -> ByteBuffer {
        guard remaining > 0 else { return ByteBuffer() }
        let count = Int(min(remaining, 256 << 10))
        let piece = try read(count)
        remaining -= Int64(count)
        return piece
    }

    private func item(
        _ header: TarBlock, size headerSize: Int64, name: [UInt8], _ extended: PaxRecords
    ) throws -> ArchiveItem {
        let size = extended.sizeInBytes ?? headerSize
        var kind: ArchiveItem.Kind =
            switch header.type {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): extended.isSparse ? .sparseFile : .file
            case UInt8(ascii: "1"): .hardLink
            case UInt8(ascii: "2"): .symbolicLink
            case UInt8(ascii: "3"), UInt8(ascii: "4"): .device
            case UInt8(ascii: "5"): .folder
            case UInt8(ascii: "6"): .pipe
            case UInt8(ascii: "S"): .sparseFile
            default: .other
            }
        // Before POSIX, a folder was a file whose name ends with a slash.
        if kind == .file && name.last == UInt8(ascii: "/") { kind = .folder }
        if kind == .file || kind == .folder {
            remaining = size
            padding = Int((512 - size % 512) % 512)
        }
        return ArchiveItem(kind: kind, name: name, sizeInBytes: size)
    }

    /// `nil` at the end, which is a block of zeros.
    private func nextHeader() throws -> TarBlock? {
        var bytes = [UInt8](repeating: 0, count: TarBlock.size)
        let count = try bytes.withUnsafeMutableBytes { try source.readFully(into: $0) }
        guard count == TarBlock.size else {
            if isAtStart { throw ServiceError.notAnArchive }
            throw ServiceError.cutOff
        }
        let block = TarBlock(bytes)
        if block.isEmpty {
            try readToEnd()
            return nil
        }
        guard block.isValid else {
            if isAtStart { throw ServiceError.notAnArchive }
            throw ServiceError.damagedArchive("a header is not one")
        }
        isAtStart = false
        return block
    }

    /// Reads the padding behind the end, because the sum over a packed archive comes after it.
    private func readToEnd() throws {
        var rest = 0
        while true {
            let count = try read(upTo: 256 << 10).readableBytes
            if count == 0 { return }
            rest += count
            guard rest <= Self.largestPadding else {
                throw ServiceError.damagedArchive("it goes on behind its end")
            }
        }
    }

    private func readExtension(_ size: Int64) throws -> [UInt8] {
        guard size <= Self.largestExtension else {
            throw ServiceError.damagedArchive("a header has \(size) bytes")
        }
        let content = try read(Int(size))
        padding = Int((512 - size % 512) % 512)
        try skipPadding()
        return Array(content.readableBytesView)
    }

    private func skipPadding() throws {
        _ = try read(padding)
        padding = 0
    }

    private func read(_ count: Int) throws -> ByteBuffer {
        let buffer = try read(upTo: count)
        guard buffer.readableBytes == count else { throw ServiceError.cutOff }
        return buffer
    }

    private func read(upTo count: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            try source.readFully(into: UnsafeMutableRawBufferPointer(rebasing: space.prefix(count)))
        }
        return buffer
    }

    /// GNU ends a long name with a zero byte.
    private static func withoutEnd(_ name: [UInt8]) -> [UInt8] {
        name.last == 0 ? name.dropLast() : name
    }
}
