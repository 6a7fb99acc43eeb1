/// One value that goes into or comes out of a statement.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    package init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    package init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    package init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    package init(_ value: Bool) { self = .integer(value ? 1 : 0) }

    /// Refuses the one character that PostgreSQL cannot hold, so that no driver takes what another does not.
    package static func checkedText(_ text: String) throws(SQLError) -> String {
        guard !text.utf8.contains(0) else {
            throw SQLError(.constraintViolation, "a text has the character U+0000, which cannot be stored")
        }
        return text
    }
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral {
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(nilLiteral: ()) { self = .null }
}
