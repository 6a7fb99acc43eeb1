import Glibc

/// What a program tells the service manager that started it: that it is ready, how it is, that it still lives.
///
/// There is none when nobody listens, so that a program that was started by hand tells nobody. See sd_notify(3).
package struct ServiceNotice: Sendable {
    /// A path, or the name of an abstract socket behind an `@`.
    private let socketName: String
    /// How often a sign of life is wanted, half of the time after which the program is taken for dead; `nil` when it is
    /// not watched.
    package let heartbeat: Duration?

    /// What the service manager left in this program's environment; `nil` when there is none.
    package static func fromEnvironment() -> ServiceNotice? {
        ServiceNotice { name in getenv(name).map { String(cString: $0) } }
    }

    /// `variable` finds a variable of the environment.
    package init?(variable: (String) -> String?) {
        guard let name = variable("NOTIFY_SOCKET"), name.utf8.count > 1, name.utf8.count < Self.longestName,
            name.utf8.first == UInt8(ascii: "/") || name.utf8.first == UInt8(ascii: "@")
        else { return nil }
        socketName = name
        guard let text = variable("WATCHDOG_USEC"), let limit = Int64(text), limit > 0,
            variable("WATCHDOG_PID").map({ pid_t($0) == getpid() }) ?? true
        else {
            heartbeat = nil
            return
        }
        heartbeat = .microseconds(limit / 2)
    }

    /// The size of `sun_path`.
    private static let longestName = 108

    /// Says these assignments in one message, such as `READY=1` and `STATUS=…`. Returns whether it could be handed over;
    /// nothing depends on it, and it never waits.
    @discardableResult
    package func send(_ assignments: String...) -> Bool {
        let file = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socketName.utf8)
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        // A line break would begin another assignment.
        let message = Array(
            assignments.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }.joined(separator: "\n")
                .utf8)
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(file, message, message.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
        return sent == message.count
    }
}
