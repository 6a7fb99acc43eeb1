import Glibc

/// Cuts a stream of bytes into lines. A line over the limit comes without its rest.
struct LineSplitter {
    static let maximumLineLength = 1 << 20
    private var line: [UInt8] = []

    mutating func add(_ bytes: UnsafeRawBufferPointer, _ body: (String) -> Void) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest)
            let end = memchr(piece.baseAddress!, 0x0a, piece.count).map { UnsafeRawPointer($0) - piece.baseAddress! }
            line += piece[..<(end ?? piece.count)].prefix(Self.maximumLineLength - line.count)
            guard let end else { return }
            emit(body)
            rest = rest.dropFirst(end + 1)
        }
    }

    /// Hands out what came after the last line end.
    mutating func finish(_ body: (String) -> Void) {
        if !line.isEmpty { emit(body) }
    }

    private mutating func emit(_ body: (String) -> Void) {
        body(String(decoding: line, as: UTF8.self))
        line.removeAll(keepingCapacity: line.count < 65_536)
    }
}
