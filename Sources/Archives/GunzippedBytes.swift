import BlockingIO
import CZlib
import Domain
import Glibc

/// The content of a gzip file, of one member or several, checked against the sums in it. Blocks.
final class GunzippedBytes: ByteSource {
    private let file: OpenFile
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    /// On the heap, because zlib remembers where it is.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var isAtEnd = false

    init(_ path: String) throws {
        file = try OpenFile(path, flags: O_RDONLY)
        stream.initialize(to: z_stream())
        // 15 bits of window; 16 more say gzip.
        let result = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib is not the one that this was built with")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !isAtEnd, !buffer.isEmpty else { return 0 }
        stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(clamping: buffer.count)
        let space = stream.pointee.avail_out
        while stream.pointee.avail_out == space {
            guard try stream.pointee.avail_in > 0 || fillInput() else { throw ServiceError.cutOff }
            switch inflate(stream, Z_NO_FLUSH) {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END:
                guard try hasNextMember() else {
                    isAtEnd = true
                    return Int(space - stream.pointee.avail_out)
                }
                inflateReset(stream)
            default:
                throw ServiceError.damagedArchive(
                    stream.pointee.msg.map { String(cString: $0) } ?? "unknown compression")
            }
        }
        return Int(space - stream.pointee.avail_out)
    }

    /// Returns whether there is anything more in the file.
    private func fillInput() throws -> Bool {
        let count = try file.read(into: input)
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(count)
        return count > 0
    }

    /// Whether another member follows. Anything else behind a member is padding, as gzip itself says.
    private func hasNextMember() throws -> Bool {
        guard try stream.pointee.avail_in > 0 || fillInput() else { return false }
        return stream.pointee.next_in.pointee == 0x1f
    }
}
