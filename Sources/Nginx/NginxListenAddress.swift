/// Where nginx accepts connections: a numeric address and a port, such as `127.0.0.1:8080` or `[::1]:8080`.
package struct NginxListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// IPv4 in dotted form, or IPv6 without brackets.
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads the text form; `nil` when it is not a numeric address and a port from 1 to 65535.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard SocketAddress(host: host, port: port) != nil else { return nil }
        self.init(host: host, port: port)
    }

    var isIPv6: Bool { host.contains(":") }

    package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Where this machine itself reaches the listener: loopback when it listens everywhere.
    package var reachable: NginxListenAddress {
        switch host {
        case "0.0.0.0": NginxListenAddress(host: "127.0.0.1", port: port)
        case "::": NginxListenAddress(host: "::1", port: port)
        default: self
        }
    }
}
