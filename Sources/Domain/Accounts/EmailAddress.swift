/// An e-mail address as a log-in name: lower case, one `@`, at most 254 bytes.
package struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init(_ text: String) throws(ServiceError) {
        let lowered = text.trimmed.lowercased()
        let parts = lowered.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[1].contains("."), !parts[1].hasPrefix("."),
            !parts[1].hasSuffix("."), lowered.utf8.count <= 254,
            lowered.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f })
        else {
            throw ServiceError(
                .invalidArgument, "\"\(text.prefix(64))\" is not an e-mail address", field: "email",
                rule: "email-format")
        }
        self.text = lowered
    }

    package var description: String { text }
}

extension StringProtocol {
    /// Without the white space at both ends.
    package var trimmed: String {
        var view = self[...]
        while let first = view.first, first.isWhitespace { view = view.dropFirst() }
        while let last = view.last, last.isWhitespace { view = view.dropLast() }
        return String(view)
    }
}
