/// The number of a version within its site: 1, 2, 3 …
package struct VersionNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: Int
    package static let first = VersionNumber(unchecked: 1)

    package init(_ rawValue: Int) throws(ServiceError) {
        guard rawValue >= 1 else {
            throw ServiceError(
                .invalidArgument, "a version number is 1 or more", field: "version", rule: "version-number")
        }
        self.rawValue = rawValue
    }

    package init(unchecked rawValue: Int) { self.rawValue = rawValue }

    package var next: VersionNumber { VersionNumber(unchecked: rawValue + 1) }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    package var description: String { String(rawValue) }
}
