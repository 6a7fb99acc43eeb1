import Domain
import Glibc

/// One HTTP/1.1 exchange over a Unix socket: what goes out at once, what comes back piece by piece. Blocks; a peer that
/// is silent for too long throws. Nothing of the answer is believed: every length has a limit.
final class ModelConnection {
    private static let headLimit = 64 << 10
    /// Of one answer, in bytes.
    private static let bodyLimit = 32 << 20

    private enum Framing {
        case length(Int)
        case chunked
        case untilEnd
        case done
    }

    private(set) var status = 0
    private var headers: [String: String] = [:]
    private let descriptor: Int32
    private let silence: Duration
    private var buffer: [UInt8] = []
    private var position = 0
    private var framing = Framing.untilEnd
    private var received = 0

    /// Connects, sends and reads the head of the answer.
    ///
    /// - Parameter silence: how long the other side may say nothing.
    init(
        socket path: String, target: String, headers: [(name: String, value: String)], body: String, silence: Duration
    ) throws(ModelFailure) {
        self.silence = silence
        descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .unavailable("no socket can be made") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .unavailable("the path of its socket is too long", retryAfter: nil)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        guard connected == 0 else { throw .unavailable("nothing answers on its socket") }
        var head = "POST \(target) HTTP/1.1\r\nhost: model\r\nconnection: close\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        head += "content-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
        try send(Array(head.utf8) + Array(body.utf8))
        try readHead()
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func header(_ name: String) -> String? { headers[name] }

    private func send(_ bytes: [UInt8]) throws(ModelFailure) {
        var done = 0
        while done < bytes.count {
            try wait(for: Int16(POLLOUT))
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress! + done, $0.count - done, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { throw .unavailable("the connection was cut") }
            done += count
        }
    }

    private func wait(for events: Int16) throws(ModelFailure) {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        while true {
            let count = poll(&entry, 1, Int32(clamping: silence.wholeMilliseconds))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unavailable("the connection cannot be waited for") }
            guard count > 0 else { throw ModelFailure(.modelTimeout) }
            return
        }
    }

    /// More bytes into the buffer; `false` at the end.
    private func fill() throws(ModelFailure) -> Bool {
        if position > 0 {
            buffer.removeFirst(position)
            position = 0
        }
        try wait(for: Int16(POLLIN))
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = piece.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unavailable("the connection was cut") }
            buffer += piece[..<count]
            return count > 0
        }
    }

    /// Up to the end of the line, which is taken away.
    private func readLine() throws(ModelFailure) -> String {
        while true {
            if let end = buffer[position...].firstIndex(of: 0x0a) {
                var line = buffer[position..<end]
                if line.last == 0x0d { line = line.dropLast() }
                position = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            guard buffer.count - position < Self.headLimit else { throw .garbage("a line without an end") }
            guard try fill() else { throw .unavailable("the answer broke off") }
        }
    }

    private func readHead() throws(ModelFailure) {
        repeat {
            let words = try readLine().split(separator: " ", maxSplits: 2)
            guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let number = Int(words[1]) else {
                throw .garbage("it is not HTTP")
            }
            status = number
            headers = [:]
            var size = 0
            while true {
                let line = try readLine()
                if line.isEmpty { break }
                size += line.utf8.count
                guard size < Self.headLimit else { throw .garbage("a head that is too long") }
                guard let colon = line.firstIndex(of: ":") else { throw .garbage("a header without a value") }
                headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...]).trimmed
            }
        } while (100..<200).contains(status)
        if headers["transfer-encoding"]?.lowercased().hasSuffix("chunked") == true {
            framing = .chunked
        } else if let text = headers["content-length"] {
            guard let length = Int(text), length >= 0 else { throw .garbage("a length that is none") }
            framing = length == 0 ? .done : .length(length)
        } else {
            framing = .untilEnd
        }
    }

    /// The next bytes of the body; `nil` at its end.
    func next() throws(ModelFailure) -> [UInt8]? {
        switch framing {
        case .done: return nil
        case .untilEnd:
            if position == buffer.count, try !fill() { return nil }
            return try take(buffer.count - position)
        case .length(let left):
            if position == buffer.count, try !fill() { throw .unavailable("the answer broke off") }
            let count = min(left, buffer.count - position)
            framing = left == count ? .done : .length(left - count)
            return try take(count)
        case .chunked:
            let line = try readLine()
            guard let size = Int(line.prefix { $0 != ";" }.filter { $0 != " " }, radix: 16), size >= 0,
                size <= Self.bodyLimit
            else { throw .garbage("a piece without a size") }
            if size == 0 {
                framing = .done
                return nil
            }
            while buffer.count - position < size {
                guard try fill() else { throw .unavailable("the answer broke off") }
            }
            let piece = try take(size)
            _ = try readLine()
            return piece
        }
    }

    private func take(_ count: Int) throws(ModelFailure) -> [UInt8] {
        received += count
        guard received <= Self.bodyLimit else { throw .garbage("more than \(Self.bodyLimit >> 20) MiB") }
        let piece = Array(buffer[position..<position + count])
        position += count
        return piece
    }

    /// The whole body, its first 64 KiB.
    func text() throws(ModelFailure) -> String {
        var bytes: [UInt8] = []
        while bytes.count < 64 << 10, let piece = try next() { bytes += piece }
        return String(decoding: bytes.prefix(64 << 10), as: UTF8.self)
    }
}
