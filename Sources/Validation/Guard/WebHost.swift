/// Reads hosts out of addresses.
enum WebHost {
    /// The host of an absolute address on the web, in lower case and with its port; `nil` for every other address.
    static func host(of address: some StringProtocol) -> String? {
        let cleaned = address.lowercased().filter { $0 != "\t" && $0 != "\n" && $0 != "\r" }
            .replacing("\\", with: "/").drop { $0.isWhitespace }
        var rest: Substring
        if cleaned.hasPrefix("//") {
            rest = cleaned.dropFirst(2)
        } else {
            let scheme = ["https:", "http:", "wss:", "ws:", "ftp:"].first { cleaned.hasPrefix($0) }
            guard let scheme else { return nil }
            rest = cleaned.dropFirst(scheme.count).drop { $0 == "/" }
        }
        rest = rest.prefix { !"/?#".contains($0) }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        return rest.isEmpty ? nil : String(rest.prefix(255))
    }

    /// `https://host` of an absolute address on the web.
    static func origin(of address: some StringProtocol) -> String? {
        host(of: address).map { host in
            (address.drop { $0.isWhitespace }.prefix(5).lowercased() == "http:" ? "http://" : "https://") + host
        }
    }
}
