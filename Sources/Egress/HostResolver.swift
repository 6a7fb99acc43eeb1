package import BlockingIO
import Glibc
package import NIOCore

/// Turns a name into addresses on this side of the wall.
package struct HostResolver: Sendable {
    package typealias Lookup = @Sendable (_ host: String, _ port: Int) async throws -> [SocketAddress]
    let lookUp: Lookup

    package init(_ lookUp: @escaping Lookup) { self.lookUp = lookUp }

    /// By the C library, as this host is set up.
    package static func system(on pool: BlockingPool) -> HostResolver {
        HostResolver { host, port in try await pool.run { try resolve(host, port) } }
    }

    private static func resolve(_ host: String, _ port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { throw EgressRefusal.resolution }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee, addresses.count < 16 {
            if entry.ai_family == AF_INET {
                entry.ai_addr.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee))
                }
            } else if entry.ai_family == AF_INET6 {
                entry.ai_addr.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee))
                }
            }
            next = entry.ai_next
        }
        return addresses
    }
}

extension SocketAddress {
    /// As they travel; empty for what is no Internet address.
    var addressBytes: [UInt8] {
        guard let text = ipAddress else { return [] }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
        // With a zone, such as fe80::1%eth0, it is not one for us either.
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : []
    }
}
