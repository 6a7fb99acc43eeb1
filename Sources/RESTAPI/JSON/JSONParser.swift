/// Reads JSON (RFC 8259) strictly: no name twice in an object, no half characters, nothing behind the value.
struct JSONParser {
    static let maximumDepth = 32

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw parser.error("the text is not UTF-8")
        }
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.error("expected the end of the text") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func error(_ problem: String) -> JSONSyntaxError {
        let before = bytes[..<min(position, bytes.count)]
        let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        return JSONSyntaxError(
            line: before.count { $0 == 0x0a } + 1, column: before.count - lineStart + 1, problem: problem)
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        switch next {
        case 0x7b: return try nested { parser throws(JSONSyntaxError) in try parser.object() }
        case 0x5b: return try nested { parser throws(JSONSyntaxError) in try parser.array() }
        case 0x22: return .string(try string())
        case 0x74: return try literal("true", .boolean(true))
        case 0x66: return try literal("false", .boolean(false))
        case 0x6e: return try literal("null", .null)
        case 0x2d?, (0x30...0x39)?: return try number()
        case nil: throw error("the text ends too early")
        default: throw error("expected a value")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONSyntaxError) -> JSONValue
    ) throws(JSONSyntaxError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw error("values are nested too deeply") }
        position += 1
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    private mutating func object() throws(JSONSyntaxError) -> JSONValue {
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        if skip(0x7d) { return .object(members) }
        repeat {
            skipSpace()
            guard next == 0x22 else {
                throw error(next == nil ? "the text ends too early" : "expected a name in quotes")
            }
            let start = position
            let name = try string()
            guard names.insert(name).inserted else {
                position = start
                throw error("the name is there twice")
            }
            guard skip(0x3a) else { throw error("expected \":\"") }
            members.append(JSONValue.Member(name: name, value: try value()))
        } while skip(0x2c)
        guard skip(0x7d) else { throw error("expected \",\" or \"}\"") }
        return .object(members)
    }

    private mutating func array() throws(JSONSyntaxError) -> JSONValue {
        var elements: [JSONValue] = []
        if skip(0x5d) { return .array(elements) }
        repeat { elements.append(try value()) } while skip(0x2c)
        guard skip(0x5d) else { throw error("expected \",\" or \"]\"") }
        return .array(elements)
    }

    private mutating func literal(_ text: String, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        guard bytes[position...].starts(with: text.utf8) else { throw error("expected a value") }
        position += text.utf8.count
        return value
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        if next == 0x2d { position += 1 }
        let hasLeadingZero = next == 0x30
        let count = digits()
        guard count > 0, !(hasLeadingZero && count > 1) else { throw error("a number is not written properly") }
        var isWhole = true
        if next == 0x2e {
            isWhole = false
            position += 1
            guard digits() > 0 else { throw error("a number is not written properly") }
        }
        if next == 0x65 || next == 0x45 {
            isWhole = false
            position += 1
            if next == 0x2b || next == 0x2d { position += 1 }
            guard digits() > 0 else { throw error("a number is not written properly") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw error("a number is too large") }
        return .number(number)
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case 0x22:
                position += 1
                return String(decoding: text, as: UTF8.self)
            case 0x5c:
                position += 1
                try appendEscape(to: &text)
            case 0..<0x20:
                throw error("a control character must be escaped")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw error("the text ends within quotes")
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(JSONSyntaxError) {
        guard let byte = next else { throw error("the text ends within quotes") }
        position += 1
        switch byte {
        case 0x22, 0x5c, 0x2f: text.append(byte)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0c)
        case 0x6e: text.append(0x0a)
        case 0x72: text.append(0x0d)
        case 0x74: text.append(0x09)
        case 0x75: text.append(contentsOf: Array(String(Character(try escapedScalar())).utf8))
        default:
            position -= 1
            throw error("there is no such escape")
        }
    }

    private mutating func escapedScalar() throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try fourDigits()
        guard (0xd800...0xdbff).contains(first) else {
            guard let scalar = Unicode.Scalar(first) else { throw error("an escape is half a character") }
            return scalar
        }
        guard next == 0x5c, position + 1 < bytes.count, bytes[position + 1] == 0x75 else {
            throw error("an escape is half a character")
        }
        position += 2
        let second = try fourDigits()
        guard (0xdc00...0xdfff).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
        else { throw error("an escape is half a character") }
        return scalar
    }

    private mutating func fourDigits() throws(JSONSyntaxError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw error("the text ends within quotes") }
        let text = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        guard text.utf8.count == 4, !text.hasPrefix("+"), let value = UInt32(text, radix: 16) else {
            throw error("an escape needs four hexadecimal digits")
        }
        position += 4
        return value
    }
}
