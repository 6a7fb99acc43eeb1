/// The name of one thing, for ever: a prefix that says what it is, then 22 characters of time and chance.
///
/// Identifiers of one type sort by the time they were made, so that a list can be paged by them.
package protocol Identifier: Hashable, Comparable, Sendable, Codable, CustomStringConvertible,
    LosslessStringConvertible
{
    /// Such as `site`; the text form is `site_` and 22 characters.
    static var prefix: String { get }
    var text: String { get }
    /// Takes text that was checked already; use ``init(_:)`` for text from outside.
    init(unchecked text: String)
}

extension Identifier {
    package var description: String { text }

    /// Reads the text form; `nil` when it is not an identifier of this type.
    package init?(_ text: String) {
        let body = text.utf8.dropFirst(Self.prefix.utf8.count + 1)
        guard text.hasPrefix(Self.prefix + "_"), body.count == 22,
            body.allSatisfy({ IdentifierText.alphabet.contains($0) })
        else { return nil }
        self.init(unchecked: text)
    }

    /// A new identifier, made at `now`; 60 bits come from `generator`.
    package init(at now: Timestamp, using generator: inout some RandomNumberGenerator) {
        self.init(unchecked: Self.prefix + "_" + IdentifierText.make(at: now, using: &generator))
    }

    /// A new identifier, made at `now` with the system's random numbers.
    package init(at now: Timestamp) {
        var generator = SystemRandomNumberGenerator()
        self.init(at: now, using: &generator)
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = Self(text) else {
            throw ServiceError(.invalidArgument, "\"\(text.prefix(64))\" is not an identifier of kind \(Self.prefix)")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// Crockford's base 32 in lower case: no letter that reads like a digit.
enum IdentifierText {
    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    static func make(at now: Timestamp, using generator: inout some RandomNumberGenerator) -> String {
        let time = UInt64(bitPattern: now.millisecondsSinceEpoch) & ((1 << 50) - 1)
        let chance = UInt64.random(in: .min ... .max, using: &generator)
        var bytes: [UInt8] = []
        for shift in stride(from: 45, through: 0, by: -5) { bytes.append(alphabet[Int(time >> shift & 31)]) }
        for shift in stride(from: 55, through: 0, by: -5) { bytes.append(alphabet[Int(chance >> shift & 31)]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
