import Foundation

/// Ports on the loopback address that are free now.
enum PortChoice {
    /// `port` itself when nobody listens on it, or a free one when it is 0. The name and the option are for the error.
    static func choose(_ port: Int, for name: String, option: String) throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw CLIError(.failed, "cannot open a socket: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 }
        }
        guard isBound, listen(descriptor, 1) == 0 else {
            let reason = errno == EACCES ? "may not be used by you" : "is taken by another program"
            throw CLIError(
                .failed, "port \(port) (\(name)) \(reason)",
                nextStep: "Choose another with \(option) PORT; \(option) 0 picks a free one.")
        }
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}
