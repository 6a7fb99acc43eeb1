import Glibc

/// Where a request came from, as far as one caller can be told from another: an IPv4 address, or the /64 network of
/// an IPv6 address, because a household has that many.
package struct ClientAddress: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// From the text form of an address; other text stands for itself.
    package init(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard text.utf8.contains(0x3a), inet_pton(AF_INET6, text, &bytes) == 1 else {
            description = String(text.prefix(64))
            return
        }
        if bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) {
            description = bytes.suffix(4).map(String.init).joined(separator: ".")
        } else {
            let groups = stride(from: 0, to: 8, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
            description = groups.map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
        }
    }
}
