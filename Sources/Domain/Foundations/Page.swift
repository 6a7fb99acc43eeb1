/// One page of a list, and where the next one begins.
package struct Page<Element: Sendable>: Sendable {
    package let items: [Element]
    /// Pass this to get what follows; `nil` at the end.
    package let nextCursor: String?

    package init(items: [Element], nextCursor: String?) {
        self.items = items
        self.nextCursor = nextCursor
    }

    package func map<Other: Sendable>(_ transform: (Element) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(items: try items.map(transform), nextCursor: nextCursor)
    }
}

/// Which part of a list is asked for.
package struct PageRequest: Sendable, Equatable {
    package static let limits = 1...200
    /// The cursor that the page before gave; `nil` for the first page.
    package let cursor: String?
    /// How many items at most, 1 to 200.
    package let limit: Int

    package init(cursor: String? = nil, limit: Int = 50) throws(ServiceError) {
        guard Self.limits.contains(limit) else {
            throw ServiceError(.invalidArgument, "limit must be 1 to 200", field: "limit", rule: "page-limit")
        }
        self.cursor = cursor
        self.limit = limit
    }
}
