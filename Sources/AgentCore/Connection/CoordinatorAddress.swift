package import Domain
import GRPCNIOTransportHTTP2Posix
import Glibc

/// Where the coordinator listens for agents: `host:port`, `address:port` or `[IPv6]:port`.
package struct CoordinatorAddress: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    package let port: Int

    package init(_ text: String) throws(ServiceError) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { throw Self.malformed(text) }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard Self.isAddress(host, AF_INET6) else { throw Self.malformed(text) }
        } else if host.contains(":") {
            throw Self.malformed(text)
        }
        guard (1...253).contains(host.utf8.count), host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x2f }) else {
            throw Self.malformed(text)
        }
        self.host = host
        self.port = port
    }

    private static func malformed(_ text: String) -> ServiceError {
        ServiceError(
            .invalidArgument, "\"\(text.prefix(128))\" is not the address of a coordinator", field: "coordinator",
            rule: "coordinator-address", nextStep: "Write it as host:port, for example fleet.example.org:8443.")
    }

    private static func isAddress(_ text: String, _ family: Int32) -> Bool {
        // Room for the longer of the two kinds.
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 4) { inet_pton(family, text, $0.baseAddress) == 1 }
    }

    var target: any ResolvableTarget {
        if Self.isAddress(host, AF_INET) { return .ipv4(address: host, port: port) }
        if Self.isAddress(host, AF_INET6) { return .ipv6(address: host, port: port) }
        return .dns(host: host, port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
