/// Writes JSON values as compact UTF-8.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(1024) }

    private static let hexadecimal = Array("0123456789abcdef".utf8)

    static func bytes(of value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.write(value)
        return writer.bytes
    }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: write(literal: "null")
        case .boolean(let value): write(literal: value ? "true" : "false")
        case .integer(let value): write(literal: String(value))
        case .number(let value): write(literal: value.isFinite ? "\(value)" : "null")
        case .string(let text): write(quoted: text)
        case .array(let elements):
            bytes.append(0x5b)
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(0x2c) }
                write(element)
            }
            bytes.append(0x5d)
        case .object(let members):
            bytes.append(0x7b)
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(0x2c) }
                write(quoted: member.name)
                bytes.append(0x3a)
                write(member.value)
            }
            bytes.append(0x7d)
        }
    }

    /// Writes what is JSON already, or a part of it.
    mutating func write(raw text: some Collection<UInt8>) { bytes.append(contentsOf: text) }

    private mutating func write(literal text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func write(quoted text: String) {
        bytes.append(0x22)
        // Nearly every text needs no escape, and is copied as a whole.
        let isPlain =
            text.utf8.withContiguousStorageIfAvailable { utf8 -> Bool in
                for byte in utf8 where byte < 0x20 || byte == 0x22 || byte == 0x5c || byte == 0x7f { return false }
                bytes.append(contentsOf: utf8)
                return true
            } ?? false
        if isPlain { return bytes.append(0x22) }
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5c: bytes.append(contentsOf: [0x5c, byte])
            case 0x0a: write(literal: "\\n")
            case 0x0d: write(literal: "\\r")
            case 0x09: write(literal: "\\t")
            case 0..<0x20, 0x7f:
                write(literal: "\\u00")
                bytes.append(Self.hexadecimal[Int(byte >> 4)])
                bytes.append(Self.hexadecimal[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }
}
