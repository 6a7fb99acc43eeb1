import CZlib
import Domain
package import NIOCore

/// Makes a gzip file piece by piece, without name and time in its header. Blocks.
package final class GzipCompressor {
    /// On the heap, because zlib remembers where it is.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    package init() {
        stream.initialize(to: z_stream())
        // 15 bits of window; 16 more say gzip. All other numbers are zlib's own defaults, written down.
        let result = deflateInit2_(
            stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib is not the one that this was built with")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Takes `piece` in and returns what is ready; that can be nothing. The last one brings the rest.
    package func compress(_ piece: ByteBuffer, isLast: Bool = false) throws -> ByteBuffer {
        var packed = ByteBuffer()
        try piece.withUnsafeReadableBytes { bytes in
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(bytes.count)
            var isUnfinished = true
            while isUnfinished {
                try packed.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { space in
                    stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(clamping: space.count)
                    let before = stream.pointee.avail_out
                    let result = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    guard result != Z_STREAM_ERROR else {
                        throw ServiceError(.internalError, "cannot pack the archive")
                    }
                    isUnfinished = isLast ? result != Z_STREAM_END : stream.pointee.avail_out == 0
                    return Int(before - stream.pointee.avail_out)
                }
            }
        }
        return packed
    }
}
