import ArgumentParser
import Foundation

/// Where a coordinator's REST API is: scheme, host and port, nothing behind them.
struct ServerAddress: Sendable, Hashable, ExpressibleByArgument, CustomStringConvertible {
    static let standard = ServerAddress(text: "http://127.0.0.1:8085")
    let text: String

    private init(text: String) { self.text = text }

    /// Takes `https://pagewright.example.org`, and `localhost:8085` as http.
    init?(argument: String) {
        let complete = argument.contains("://") ? argument : "http://\(argument)"
        guard let parts = URLComponents(string: complete), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = parts.host, !host.isEmpty,
            parts.query == nil, parts.fragment == nil, parts.path.isEmpty || parts.path == "/"
        else { return nil }
        text = "\(scheme)://\(host.lowercased())" + (parts.port.map { ":\($0)" } ?? "")
    }

    var description: String { text }
    var isEncrypted: Bool { text.hasPrefix("https:") }
}
