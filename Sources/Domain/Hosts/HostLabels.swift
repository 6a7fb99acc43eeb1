/// What an operator says of a host, such as `zone=north`. Sites find the hosts that they are placed on by these.
package struct HostLabels: Sendable, Hashable, CustomStringConvertible {
    package static let none = HostLabels(values: [:])
    private static let limit = 32

    package let values: [String: String]

    private init(values: [String: String]) { self.values = values }

    /// Reads `zone=north,disk=fast`; an empty text is no label at all.
    package init(_ text: String) throws(ServiceError) {
        var values: [String: String] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: true) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, sides.allSatisfy(Self.isWord), values[sides[0]] == nil else {
                throw ServiceError(
                    .invalidArgument, "\"\(part.prefix(80))\" is no label", field: "labels", rule: "label-format",
                    nextStep: "Write labels as key=value,key=value, of a-z, 0-9, dots and hyphens, each key once.")
            }
            values[sides[0]] = sides[1]
        }
        guard values.count <= Self.limit else {
            throw ServiceError(
                .invalidArgument, "there are more than \(Self.limit) labels", field: "labels", rule: "label-count")
        }
        self.values = values
    }

    package subscript(key: String) -> String? { values[key] }

    /// Whether every label of `selector` is among these, with the same value.
    package func satisfies(_ selector: HostLabels) -> Bool {
        selector.values.allSatisfy { values[$0.key] == $0.value }
    }

    /// Sorted by the key.
    package var description: String {
        values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    /// 1 to 63 characters of a-z, 0-9, dots and hyphens, the first a letter or a digit.
    package static func isWord(_ text: String) -> Bool {
        guard (1...63).contains(text.utf8.count), let first = text.utf8.first, first != 0x2d, first != 0x2e else {
            return false
        }
        return text.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e
        }
    }
}
