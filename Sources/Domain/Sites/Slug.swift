/// The short name of a site, and the first label of its address: `bakery` answers at `bakery.<sites domain>`.
package struct Slug: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// 3 to 40 of `a-z 0-9 -`; a letter or digit at both ends; no `--`, which separates a site from `preview`.
    package init(_ text: String) throws(ServiceError) {
        let bytes = Array(text.utf8)
        let isAlphanumeric: (UInt8) -> Bool = { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }
        guard (3...40).contains(bytes.count), bytes.allSatisfy({ isAlphanumeric($0) || $0 == 0x2d }),
            isAlphanumeric(bytes[0]), isAlphanumeric(bytes[bytes.count - 1]), !text.contains("--")
        else {
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

    private static let reserved: Set<String> = [
        "admin", "api", "app", "generate", "internal", "localhost", "mail", "new", "pagewright", "preview", "root",
        "status", "www",
    ]
}
