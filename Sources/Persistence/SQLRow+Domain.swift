import Database
import Domain

/// Reading of domain values out of rows. What the domain would refuse is refused here too: rows are not trusted.
extension SQLRow {
    func identifier<ID: Identifier>(_ column: String, as type: ID.Type = ID.self) throws -> ID {
        guard let value = ID(try text(column)) else {
            throw SQLError(.badRow, "\(column) is no \(ID.prefix) identifier")
        }
        return value
    }

    func optionalIdentifier<ID: Identifier>(_ column: String, as type: ID.Type = ID.self) throws -> ID? {
        try optionalText(column) == nil ? nil : try identifier(column, as: type)
    }

    func timestamp(_ column: String) throws -> Timestamp { Timestamp(millisecondsSinceEpoch: try integer(column)) }

    func optionalTimestamp(_ column: String) throws -> Timestamp? {
        try optionalInteger(column).map { Timestamp(millisecondsSinceEpoch: $0) }
    }

    func versionNumber(_ column: String) throws -> VersionNumber { try VersionNumber(Int(try integer(column))) }

    func optionalVersionNumber(_ column: String) throws -> VersionNumber? {
        try optionalInteger(column).map { try VersionNumber(Int($0)) }
    }

    func word<Word: RawRepresentable<String>>(_ column: String, as type: Word.Type = Word.self) throws -> Word {
        let raw = try text(column)
        guard let value = Word(rawValue: raw) else { throw SQLError(.badRow, "\(column) says \"\(raw.prefix(40))\"") }
        return value
    }

    func digest(_ column: String) throws -> ContentDigest {
        guard let value = ContentDigest(try text(column)) else { throw SQLError(.badRow, "\(column) is no digest") }
        return value
    }
}

extension SQLValue {
    init(_ value: some Identifier) { self = .text(value.text) }
    init(_ value: (some Identifier)?) { self = value.map { .text($0.text) } ?? .null }
    init(_ value: Timestamp) { self = .integer(value.millisecondsSinceEpoch) }
    init(_ value: Timestamp?) { self = value.map { .integer($0.millisecondsSinceEpoch) } ?? .null }
    init(_ value: VersionNumber) { self = .integer(Int64(value.rawValue)) }
    init(_ value: VersionNumber?) { self = value.map { .integer(Int64($0.rawValue)) } ?? .null }
    init(_ value: ContentDigest) { self = .text(value.text) }
}
