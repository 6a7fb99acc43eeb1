/// A SHA-256: the name of a blob, or of a manifest. Hashing itself is in `Artifacts`.
package struct ContentDigest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package let text: String

    package init?(_ text: String) {
        guard text.utf8.count == 64, text.utf8.allSatisfy({ Hexadecimal.value(of: $0) != nil }) else { return nil }
        self.text = text
    }

    /// From the 32 bytes of the hash; `nil` for any other number.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        text = Hexadecimal.text(of: bytes)
    }

    package var bytes: [UInt8] { Hexadecimal.bytes(of: text)! }

    /// The first 12 digits, as used in names on serving hosts.
    package var abbreviated: String { String(text.prefix(12)) }

    package var description: String { text }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}
