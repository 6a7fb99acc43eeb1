import Domain

/// The header of one file in a tar archive that says nothing but its name and size, so that it is the same every time.
struct TarHeader {
    let bytes: [UInt8]

    /// Plain POSIX, with a pax header in front for what does not fit into that.
    init(path: SitePath, sizeInBytes: Int64) {
        let name = Array(path.text.utf8)
        var records: [UInt8] = []
        if name.count > 100 || name.contains(where: { $0 >= 0x80 }) { records += Self.record("path", name) }
        if sizeInBytes >= 1 << 33 { records += Self.record("size", Array(String(sizeInBytes).utf8)) }
        var bytes: [UInt8] = []
        if !records.isEmpty {
            bytes += Self.block(name: Array("PaxHeader".utf8), size: Int64(records.count), type: "x")
            bytes += records + Self.padding(after: Int64(records.count))
        }
        // Who does not know pax headers sees a name of his own for each file, in ASCII.
        let plain = name.count <= 100 && records.isEmpty ? name : name.prefix(100).map { $0 < 0x80 ? $0 : 0x5f }
        self.bytes = bytes + Self.block(name: plain, size: sizeInBytes >= 1 << 33 ? 0 : sizeInBytes, type: "0")
    }

    /// What fills the last block of a content.
    static func padding(after sizeInBytes: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((512 - sizeInBytes % 512) % 512))
    }

    static let endOfArchive = [UInt8](repeating: 0, count: 1_024)

    private static func block(name: [UInt8], size: Int64, type: Unicode.Scalar) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: TarBlock.size)
        func put(_ text: some Collection<UInt8>, at start: Int) {
            block.replaceSubrange(start..<start + text.count, with: text)
        }
        put(name, at: 0)
        put("0000644\0".utf8, at: 100)
        put("0000000\0".utf8, at: 108)
        put("0000000\0".utf8, at: 116)
        put(octal(size, digits: 11).utf8, at: 124)
        put("00000000000\0".utf8, at: 136)
        put("        ".utf8, at: 148)
        block[156] = UInt8(ascii: type)
        put("ustar\u{0}00".utf8, at: 257)
        put("0000000\0".utf8, at: 329)
        put("0000000\0".utf8, at: 337)
        put((octal(block.reduce(0) { $0 + Int64($1) }, digits: 6) + "\0 ").utf8, at: 148)
        return block
    }

    private static func octal(_ value: Int64, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// `<length> <key>=<value>\n`, where the length counts its own digits.
    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [0x0a]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length += 1 }
        return Array(String(length).utf8) + rest
    }
}
