/// A JSON object of plain values, its names sorted. For the small ones that every effect writes, for
/// which a `JSONEncoder` takes longer than all else that is done to write them.
package struct FlatJSON: Sendable {
    package enum Value: Sendable {
        case text(String)
        case integer(Int64)
        case boolean(Bool)
        case null
    }

    package static func text(of values: [String: Value]) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        bytes.reserveCapacity(64 * values.count + 2)
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            append(name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            switch value {
            case .text(let text): append(text, to: &bytes)
            case .integer(let number): bytes += String(number).utf8
            case .boolean(let flag): bytes += (flag ? "true" : "false").utf8
            case .null: bytes += "null".utf8
            }
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += "\\u00".utf8
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
