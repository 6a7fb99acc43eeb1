/// The place of an edit among several that try the same request on the same base, for somebody to pick one.
package struct EditVariant: Sendable, Hashable {
    package static let most = 3
    /// The first of them.
    package let group: EditID
    /// 1 for the first.
    package let number: Int
    package let count: Int

    package init(group: EditID, number: Int, count: Int) {
        self.group = group
        self.number = number
        self.count = count
    }

    /// Refuses to try more often than is of use.
    package static func requireUseful(_ count: Int) throws(ServiceError) {
        guard (1...most).contains(count) else {
            throw ServiceError(
                .invalidArgument, "a request is tried 1 to \(most) times side by side", field: "variants",
                rule: "variants-number")
        }
    }
}
