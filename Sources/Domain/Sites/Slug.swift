/// The short name of a site, and the first label of its address: `bakery` answers at `bakery.<sites domain>`.
package struct Slug: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// 3 to 40 of `a-z 0-9 -`; a letter or digit at both ends; no `--`, which separates a site from `preview`.
    package init(_ text: String) throws(ServiceError) {
        guard Self.isWellFormed(text) else {
            throw ServiceError(
                .invalidArgument,
                "\"\(text.prefix(64))\" cannot be a slug: use 3 to 40 of a-z, 0-9 and single hyphens inside",
                field: "slug", rule: "slug-format")
        }
        guard !Self.reserved.contains(text) else {
            throw ServiceError(
                .invalidArgument, "the slug \"\(text)\" is reserved", field: "slug", rule: "slug-reserved")
        }
        self.text = text
    }

    package var description: String { text }

    /// One look at each byte: every row of a site that is read comes through here.
    private static func isWellFormed(_ text: String) -> Bool {
        var length = 0
        var wasHyphen = true
        for byte in text.utf8 {
            length += 1
            switch byte {
            case 0x61...0x7a, 0x30...0x39: wasHyphen = false
            case 0x2d where !wasHyphen: wasHyphen = true
            default: return false
            }
        }
        return (3...40).contains(length) && !wasHyphen
    }

    private static let reserved: Set<String> = [
        "admin", "api", "app", "generate", "internal", "localhost", "mail", "new", "pagewright", "preview", "root",
        "status", "www",
    ]
}
