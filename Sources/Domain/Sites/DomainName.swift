/// A fully qualified domain name in lower case, such as `www.example.org`; what nginx may turn into a file name.
package struct DomainName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    /// Letters, digits and hyphens (IDNA names in their `xn--` form), two labels or more, 4 to 253 bytes.
    package init(_ text: String) throws(ServiceError) {
        var lowered = text.trimmed.lowercased()
        if lowered.hasSuffix(".") { lowered.removeLast() }
        let labels = lowered.utf8.split(separator: 0x2e, omittingEmptySubsequences: false)
        let isAlphanumeric: (UInt8) -> Bool = { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }
        let valid =
            labels.count >= 2 && (4...253).contains(lowered.utf8.count)
            && labels.allSatisfy { label in
                guard let first = label.first, let last = label.last, label.count <= 63 else { return false }
                return isAlphanumeric(first) && isAlphanumeric(last)
                    && label.allSatisfy { isAlphanumeric($0) || $0 == 0x2d }
            } && !(labels.last?.allSatisfy { (0x30...0x39).contains($0) } ?? true)
        guard valid else {
            throw ServiceError(
                .invalidArgument, "\"\(text.prefix(64))\" is not a domain name such as www.example.org",
                field: "domain", rule: "domain-format")
        }
        self.text = lowered
    }

    package var description: String { text }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}
