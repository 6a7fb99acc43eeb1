/// Where one server listens.
package enum RedisEndpoint: Sendable, Hashable, CustomStringConvertible {
    case network(host: String, port: Int)
    case socket(path: String)

    package var description: String {
        switch self {
        case .network(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socket(let path): path
        }
    }

    /// The name that a certificate must have; `nil` for numbers, which are compared with the peer's address.
    var serverName: String? {
        guard case .network(let host, _) = self else { return nil }
        let isNumber = host.contains(":") || host.utf8.allSatisfy { $0 == 0x2e || (0x30...0x39).contains($0) }
        return isNumber ? nil : host
    }
}
