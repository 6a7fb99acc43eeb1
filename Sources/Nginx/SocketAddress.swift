import Glibc

/// A numeric address in the form that the socket calls want.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private let length: socklen_t
    let family: Int32

    /// `nil` when `host` is not a numeric IPv4 or IPv6 address.
    init?(host: String, port: Int) {
        guard let networkPort = UInt16(exactly: port)?.bigEndian else { return nil }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            family = AF_INET
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let address = sockaddr_in(
                sin_family: sa_family_t(AF_INET), sin_port: networkPort, sin_addr: four,
                sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in.self) }
        } else if inet_pton(AF_INET6, host, &six) == 1 {
            family = AF_INET6
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            let address = sockaddr_in6(
                sin6_family: sa_family_t(AF_INET6), sin6_port: networkPort, sin6_flowinfo: 0, sin6_addr: six,
                sin6_scope_id: 0)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in6.self) }
        } else {
            return nil
        }
    }

    func withPointer<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
