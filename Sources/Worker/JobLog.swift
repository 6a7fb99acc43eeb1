import BlockingIO
import Glibc
import Synchronization

/// What an attempt printed: the last 4 MiB of it, in a file that is written round and round.
final class JobLog: Sendable {
    static let capacity: Int64 = 4 << 20
    private let descriptor: Int32
    private let written = Mutex<Int64>(0)

    /// - Parameter path: of a file that is not there yet.
    init(path: String) throws(SystemCallError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemCallError("open", on: path) }
    }

    deinit { close(descriptor) }

    /// Adds a line. A disk that is full costs the line and nothing else.
    func append(_ line: String) {
        var bytes = ArraySlice(Array((line + "\n").utf8).suffix(Int(Self.capacity)))
        written.withLock { written in
            while !bytes.isEmpty {
                let place = written % Self.capacity
                let piece = bytes.prefix(Int(Self.capacity - place))
                _ = piece.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(place)) }
                written += Int64(piece.count)
                bytes = bytes.dropFirst(piece.count)
            }
        }
    }

    /// How much was ever written.
    var size: Int64 { written.withLock { $0 } }

    /// What follows `position`: at most `limit` bytes that end with a whole character. When it was overwritten
    /// meanwhile, it begins later and says how much is missing.
    func read(from position: Int64, limit: Int) -> (text: String, droppedBytes: Int64, next: Int64) {
        written.withLock { written in
            let start = max(position, written - Self.capacity)
            var bytes: [UInt8] = []
            while bytes.count < limit, start + Int64(bytes.count) < written {
                let at = start + Int64(bytes.count)
                let place = at % Self.capacity
                let count = Int(min(Int64(limit - bytes.count), written - at, Self.capacity - place))
                var piece = [UInt8](repeating: 0, count: count)
                guard pread(descriptor, &piece, count, off_t(place)) == count else { break }
                bytes += piece
            }
            // Do not cut a character in two: its rest begins with the bits 10.
            if start + Int64(bytes.count) < written, let last = bytes.lastIndex(where: { $0 & 0xC0 != 0x80 }), last > 0,
                bytes.count - last < 4, bytes[last] >= 0x80
            {
                bytes.removeSubrange(last...)
            }
            return (String(decoding: bytes, as: UTF8.self), start - position, start + Int64(bytes.count))
        }
    }
}
