/// A header of a tar archive: 512 bytes with text fields at fixed places.
struct TarBlock {
    static let size = 512
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        precondition(bytes.count == Self.size, "a block has 512 bytes")
        self.bytes = bytes
    }

    var isEmpty: Bool { bytes.allSatisfy { $0 == 0 } }

    /// Whether the sum over the header is what the header says it is; some old programs added signed numbers.
    var isValid: Bool {
        guard let stated = number(at: 148, length: 8) else { return false }
        var unsigned: Int64 = 8 * 0x20
        var signed: Int64 = 8 * 0x20
        for (index, byte) in bytes.enumerated() where !(148..<156).contains(index) {
            unsigned += Int64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        return stated == unsigned || stated == signed
    }

    var type: UInt8 { bytes[156] }
    var sizeInBytes: Int64? { number(at: 124, length: 12) }

    /// The path, with the prefix of a POSIX header; the old GNU format keeps other things in that place.
    var name: [UInt8] {
        let name = text(at: 0, length: 100)
        guard bytes[257..<263].elementsEqual("ustar\0".utf8) else { return name }
        let prefix = text(at: 345, length: 155)
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    private func text(at start: Int, length: Int) -> [UInt8] {
        Array(bytes[start..<start + length].prefix { $0 != 0 })
    }

    /// Octal text, or for large numbers the bytes of the number after a byte with the highest bit set.
    private func number(at start: Int, length: Int) -> Int64? {
        let field = bytes[start..<start + length]
        if field[start] & 0x80 != 0 {
            var value: Int64 = Int64(field[start] & 0x7f)
            for byte in field.dropFirst() {
                guard value < 1 << 54 else { return nil }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit) else { return nil }
            value = value << 3 | Int64(digit - 0x30)
        }
        return value
    }
}
