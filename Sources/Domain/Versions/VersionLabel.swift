/// What people put on a version in order to find it again. The version itself never changes.
package struct VersionLabel: Sendable, Equatable {
    package static let none = VersionLabel(unchecked: "", isPinned: false)

    /// Empty when it has none; at most 80 characters on one line.
    package let name: String
    /// Shown before all others.
    package let isPinned: Bool

    package init(name: String, isPinned: Bool) throws(ServiceError) {
        let name = name.trimmed
        guard name.count <= 80, name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
            throw ServiceError(
                .invalidArgument, "the name of a version has at most 80 characters on one line", field: "name",
                rule: "label-length")
        }
        self.init(unchecked: name, isPinned: isPinned)
    }

    package init(unchecked name: String, isPinned: Bool) {
        self.name = name
        self.isPinned = isPinned
    }
}
