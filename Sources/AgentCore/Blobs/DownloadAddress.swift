/// An `https` URL, taken apart as far as asking for it needs. Its query holds a signature: it is not for logs.
struct DownloadAddress: Sendable, Equatable {
    let host: String
    let port: Int
    /// Path and query.
    let target: String

    /// `nil` for anything that is not plainly `https://host[:port]/…` in visible ASCII.
    init?(_ text: String) {
        guard text.hasPrefix("https://"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        let rest = text.dropFirst("https://".count)
        guard let slash = rest.firstIndex(of: "/") else { return nil }
        var authority = rest[..<slash]
        var number = 443
        if let colon = authority.lastIndex(of: ":"), authority.last != "]" {
            guard let given = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(given) else {
                return nil
            }
            number = given
            authority = authority[..<colon]
        }
        if authority.first == "[", authority.last == "]" { authority = authority.dropFirst().dropLast() }
        guard !authority.isEmpty, !authority.contains("@"), !rest.contains("#") else { return nil }
        host = String(authority)
        port = number
        target = String(rest[slash...])
    }

    /// As it stands in the header `Host`.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == 443 ? name : "\(name):\(port)"
    }
}
