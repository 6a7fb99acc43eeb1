import Database
import Domain

/// Makes a page of the rows of a query that asked for one row more than the page holds.
func page<Element: Sendable>(
    of rows: [SQLRow], limit: Int, cursor column: String, _ read: (SQLRow) throws -> Element
) throws -> Page<Element> {
    let shown = rows.prefix(limit)
    var next: String?
    if rows.count > limit, let last = shown.last {
        switch try last.value(column) {
        case .text(let text): next = text
        case .integer(let number): next = String(number)
        case .null, .blob: throw SQLError(.badRow, "\(column) cannot be a cursor")
        }
    }
    return Page(items: try shown.map(read), nextCursor: next)
}

extension PageRequest {
    /// The cursor of a list that is sorted by number, newest first; refuses other text.
    func numericCursor() throws -> Int64 {
        guard let cursor else { return .max }
        guard let number = Int64(cursor) else {
            throw ServiceError(.invalidArgument, "the cursor is not one of this list", field: "cursor", rule: "cursor")
        }
        return number
    }

    /// The cursor of a list that is sorted by identifier, newest first: every identifier is below the default.
    var identifierCursor: String { cursor ?? "~" }
}
