import FoundationEssentials

/// A JSON value of Chromium's debugging protocol.
enum ProtocolValue: Sendable, Equatable, Codable {
    case null
    case boolean(Bool)
    case number(Double)
    case text(String)
    case list([ProtocolValue])
    case object([String: ProtocolValue])

    subscript(_ name: String) -> ProtocolValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    var list: [ProtocolValue] { if case .list(let elements) = self { elements } else { [] } }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([ProtocolValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: ProtocolValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .number(let value):
            // Whole numbers without a fraction: identifiers are such.
            if value == value.rounded(), abs(value) < 1e15 {
                try container.encode(Int64(value))
            } else {
                try container.encode(value)
            }
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    static func parse(_ bytes: ArraySlice<UInt8>) throws -> ProtocolValue {
        try JSONDecoder().decode(ProtocolValue.self, from: Data(bytes))
    }

    var bytes: [UInt8] { get throws { Array(try JSONEncoder().encode(self)) } }
}

extension ProtocolValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral
{
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
    init(booleanLiteral value: Bool) { self = .boolean(value) }
    init(dictionaryLiteral elements: (String, ProtocolValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
    init(arrayLiteral elements: ProtocolValue...) { self = .list(elements) }
}
