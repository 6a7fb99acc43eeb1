import BlockingIO
import Domain
import Glibc
import NIOCore

/// One blob on disk that is being read, in order, hashed on the way. Blocks.
struct BlobFile: ~Copyable {
    static let pieceSize = 256 << 10

    let digest: ContentDigest
    let sizeInBytes: Int64
    private let file: OpenFile
    private var hasher = ContentHasher()

    private init(_ digest: ContentDigest, file: OpenFile, sizeInBytes: Int64) {
        self.digest = digest
        self.file = file
        self.sizeInBytes = sizeInBytes
    }

    /// `nil` when there is no such file.
    static func open(_ digest: ContentDigest, at path: String, in base: OpenFile) throws -> BlobFile? {
        do {
            let file = try OpenFile(path, flags: O_RDONLY, in: base)
            let status = try file.status()
            guard status.st_mode & S_IFMT == S_IFREG else { return nil }
            return BlobFile(digest, file: file, sizeInBytes: Int64(status.st_size))
        } catch let error as SystemCallError where error.code == ENOENT {
            return nil
        }
    }

    /// The next piece; empty at the end. Throws `internalError` at the end when the whole is not what its name says.
    mutating func nextPiece(ofAtMost limit: Int = pieceSize) throws -> ByteBuffer {
        var piece = ByteBufferAllocator().buffer(
            capacity: Int(min(Int64(limit), max(0, sizeInBytes - hasher.sizeInBytes) + 1)))
        let file = file
        try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { buffer in
            try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(limit)))
        }
        if piece.readableBytes == 0 { try check() } else { hasher.update(piece) }
        return piece
    }

    private func check() throws {
        guard hasher.finish() == digest else {
            throw ServiceError(
                .internalError, "the stored content \(digest) is damaged",
                nextStep: "Check the disk, and bring the content back from a backup or by publishing it again.")
        }
    }

    /// Whether the content is what the name says. Reads all of it.
    consuming func isWhole() throws -> Bool {
        do {
            while try nextPiece().readableBytes > 0 {}
            return true
        } catch is ServiceError {
            return false
        }
    }

    /// The whole content. Throws `payloadTooLarge` over `limit` bytes.
    consuming func readAll(limit: Int) throws -> [UInt8] {
        guard sizeInBytes <= Int64(limit) else {
            throw ServiceError(
                .payloadTooLarge, "the content \(digest) has \(sizeInBytes) bytes; \(limit) are allowed here")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(sizeInBytes))
        while true {
            let piece = try nextPiece()
            if piece.readableBytes == 0 { return bytes }
            bytes.append(contentsOf: piece.readableBytesView)
        }
    }
}

extension ContentDigest {
    /// Where a blob is within a store: in a folder for its first two digits.
    var shard: String { String(text.prefix(2)) }
    var relativePath: String { "\(shard)/\(text)" }

    /// ``relativePath`` for a system call, without making a string.
    func withRelativePath<Value>(_ body: (UnsafePointer<CChar>) throws -> Value) rethrows -> Value {
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 68) { path in
            writeDigits(to: UnsafeMutableBufferPointer(rebasing: path[3..<67]))
            path[0] = path[3]
            path[1] = path[4]
            path[2] = 0x2f
            path[67] = 0
            return try path.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }

    /// A time that stands for the content: 1971 plus the hash modulo 1,700,000,000 seconds. nginx makes its validators from
    /// time and size, so equal content keeps its validator and different content never shares one by accident.
    var fingerprintTime: timespec {
        let value = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return timespec(tv_sec: 31_536_000 + Int(value % 1_700_000_000), tv_nsec: 0)
    }
}
