import Glibc

/// Asks nginx on this machine one question, as a visitor would. Blocks its thread until `timeout` at the longest.
package struct LoopbackRequest: Sendable {
    package var address: NginxListenAddress
    /// The `Host` header.
    package var host: String
    package var path: String
    package var method: String
    package var timeout: Duration

    package init(
        to address: NginxListenAddress, host: String, path: String = "/", method: String = "HEAD",
        timeout: Duration = .seconds(2)
    ) {
        self.address = address
        self.host = host
        self.path = path
        self.method = method
        self.timeout = timeout
    }

    /// Sends it and reads the answer's head and at most 64 KiB in all.
    package func perform() throws -> LoopbackAnswer {
        guard let target = SocketAddress(host: address.host, port: address.port) else {
            throw LoopbackFailure(step: "read the address", code: EINVAL)
        }
        let deadline = ContinuousClock.now + timeout
        let descriptor = socket(target.family, Int32(SOCK_STREAM.rawValue) | SOCK_NONBLOCK_FLAG | SOCK_CLOEXEC_FLAG, 0)
        guard descriptor >= 0 else { throw LoopbackFailure(step: "make a socket", code: errno) }
        defer { close(descriptor) }
        if target.withPointer({ connect(descriptor, $0, $1) }) != 0 {
            guard errno == EINPROGRESS else { throw LoopbackFailure(step: "connect", code: errno) }
            try wait(for: Int16(POLLOUT), on: descriptor, until: deadline)
            var failure: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
            guard failure == 0 else { throw LoopbackFailure(step: "connect", code: failure) }
        }
        let head =
            "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: pagewright-agent\r\nConnection: close\r\n\r\n"
        try write(Array(head.utf8), to: descriptor, until: deadline)
        return try LoopbackAnswer(parsing: try readAll(from: descriptor, until: deadline))
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32, until deadline: ContinuousClock.Instant) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: Int16(POLLOUT), on: descriptor, until: deadline)
            } else if errno != EINTR {
                throw LoopbackFailure(step: "send", code: errno)
            }
        }
    }

    private func readAll(from descriptor: Int32, until deadline: ContinuousClock.Instant) throws -> [UInt8] {
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 8192)
        while answer.count < 65_536 {
            let count = recv(descriptor, &piece, piece.count, 0)
            if count > 0 {
                answer += piece[..<count]
            } else if count == 0 {
                break
            } else if errno == EAGAIN {
                try wait(for: Int16(POLLIN), on: descriptor, until: deadline)
            } else if errno != EINTR {
                throw LoopbackFailure(step: "read", code: errno)
            }
        }
        return answer
    }

    private func wait(for events: Int16, on descriptor: Int32, until deadline: ContinuousClock.Instant) throws {
        while true {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw LoopbackFailure(step: "wait for an answer", code: ETIMEDOUT) }
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let ready = poll(&entry, 1, Int32(clamping: milliseconds + 1))
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw LoopbackFailure(step: "wait for an answer", code: errno) }
        }
    }
}

// The C names are enumerators that Swift imports as a type of their own.
private let SOCK_NONBLOCK_FLAG = Int32(SOCK_NONBLOCK.rawValue)
private let SOCK_CLOEXEC_FLAG = Int32(SOCK_CLOEXEC.rawValue)

/// A question that got no answer.
package struct LoopbackFailure: Error, CustomStringConvertible {
    package let step: String
    package let code: Int32

    package var description: String { "could not \(step): \(String(cString: strerror(code)))" }
}
