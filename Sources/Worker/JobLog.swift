import BlockingIO
import Glibc
import Synchronization

/// What an attempt printed: the last 4 MiB of it, in a file that is written round and round. Beside it is a small file that
/// says how far it got, so that the next agent goes on where this one was killed.
final class JobLog: Sendable {
    static let capacity: Int64 = 4 << 20

    private struct State {
        /// How much was ever written.
        var written: Int64 = 0
        /// How much of that a coordinator was told.
        var sent: Int64 = 0
        /// How much of the task's own output is in it already.
        var read: Int64 = 0
    }

    private let descriptor: Int32
    private let stateDescriptor: Int32
    private let state: Mutex<State>

    /// - Parameters:
    ///   - path: of a file that is not there yet.
    ///   - isResumed: whether it is there, and is gone on with.
    init(path: String, isResumed: Bool = false) throws(SystemCallError) {
        let flags = (isResumed ? O_RDWR : O_RDWR | O_CREAT | O_EXCL) | O_CLOEXEC | O_NOFOLLOW
        descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else { throw SystemCallError("open", on: path) }
        let stateFile = open(path + ".state", flags, 0o600)
        stateDescriptor = stateFile
        guard stateFile >= 0 else {
            let error = SystemCallError("open", on: path + ".state")
            close(descriptor)
            throw error
        }
        var numbers: [Int64] = [0, 0, 0]
        let size = numbers.count * 8
        let isKnown = numbers.withUnsafeMutableBytes { pread(stateFile, $0.baseAddress, size, 0) == size }
        let isSound = isKnown && numbers.allSatisfy { $0 >= 0 } && numbers[1] <= numbers[0]
        state = Mutex(isSound ? State(written: numbers[0], sent: numbers[1], read: numbers[2]) : State())
    }

    deinit {
        close(descriptor)
        close(stateDescriptor)
    }

    /// Adds a line. A disk that is full costs the line and nothing else.
    func append(_ line: String) {
        var bytes = ArraySlice(Array((line + "\n").utf8).suffix(Int(Self.capacity)))
        state.withLock { state in
            while !bytes.isEmpty {
                let place = state.written % Self.capacity
                let piece = bytes.prefix(Int(Self.capacity - place))
                let count = piece.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(place)) }
                // Counted only when it is there, or a reader would wait for it for ever.
                guard count == piece.count else { break }
                state.written += Int64(piece.count)
                bytes = bytes.dropFirst(piece.count)
            }
            save(state)
        }
    }

    /// How much was ever written.
    var size: Int64 { state.withLock { $0.written } }

    /// How much of that a coordinator was told.
    var sent: Int64 { state.withLock { $0.sent } }

    /// How much of the task's own output is in it already.
    var read: Int64 { state.withLock { $0.read } }

    func noteSent(_ position: Int64) {
        state.withLock { state in
            state.sent = position
            save(state)
        }
    }

    func noteRead(_ position: Int64) {
        state.withLock { state in
            state.read = position
            save(state)
        }
    }

    /// Not synced: whoever is killed leaves it to the kernel, and after a loss of power nothing of the task is left.
    private func save(_ state: State) {
        let numbers = [state.written, state.sent, state.read]
        _ = numbers.withUnsafeBytes { pwrite(stateDescriptor, $0.baseAddress, $0.count, 0) }
    }

    /// What follows `position`: at most `limit` bytes that end with a whole character. When it was overwritten
    /// meanwhile, it begins later and says how much is missing.
    func read(from position: Int64, limit: Int) -> (text: String, droppedBytes: Int64, next: Int64) {
        state.withLock { state in
            let written = state.written
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
