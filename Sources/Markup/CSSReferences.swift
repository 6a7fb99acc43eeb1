/// Finds the addresses in a style sheet: `url(…)` and `@import`.
///
/// This knows comments, strings and escapes of CSS and nothing else of its grammar, and so reads any bytes.
package struct CSSReferences {
    /// One address and where it is: the bytes between the quotes or brackets.
    package struct Found: Hashable, Sendable {
        package let value: String
        package let range: Range<Int>
    }

    private let bytes: [UInt8]
    private var offset = 0
    private var found: [Found] = []

    package static func references(in bytes: [UInt8]) -> [Found] {
        var scanner = CSSReferences(bytes: bytes)
        scanner.scan()
        return scanner.found
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func scan() {
        var previous: UInt8 = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == 0x2f, offset + 1 < bytes.count, bytes[offset + 1] == 0x2a {
                skipComment()
            } else if byte == 0x22 || byte == 0x27 {
                _ = readString()
            } else if byte == 0x40, hasWord("@import", at: offset) {
                offset += 7
                skipBlanks()
                if let next = peek, next == 0x22 || next == 0x27 { keep(readString()) }
            } else if byte | 0x20 == 0x75, !previous.isPartOfCSSName, hasWord("url(", at: offset) {
                offset += 4
                readAddress()
            } else {
                offset += 1
            }
            previous = byte
        }
    }

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func keep(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        found.append(Found(value: Self.unescaped(bytes[range]), range: range))
    }

    private mutating func readAddress() {
        skipBlanks()
        if let next = peek, next == 0x22 || next == 0x27 {
            keep(readString())
        } else {
            let start = offset
            while let byte = peek, byte != 0x29 { offset += byte == 0x5c ? 2 : 1 }
            offset = min(offset, bytes.count)
            var end = offset
            while end > start, bytes[end - 1].isCSSBlank { end -= 1 }
            keep(start..<end)
        }
    }

    /// From a quote to just past the closing one; gives what is between. A string ends at a line's end at the latest.
    private mutating func readString() -> Range<Int> {
        let quote = bytes[offset]
        offset += 1
        let start = offset
        while let byte = peek, byte != quote, byte != 0x0a { offset += byte == 0x5c ? 2 : 1 }
        let end = min(offset, bytes.count)
        offset = min(end + 1, bytes.count)
        return start..<end
    }

    private mutating func skipComment() {
        offset += 2
        while offset < bytes.count {
            if bytes[offset] == 0x2f, bytes[offset - 1] == 0x2a { break }
            offset += 1
        }
        offset = min(offset + 1, bytes.count)
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte.isCSSBlank { offset += 1 }
    }

    private func hasWord(_ word: StaticString, at offset: Int) -> Bool {
        guard offset + word.utf8CodeUnitCount <= bytes.count else { return false }
        for index in 0..<word.utf8CodeUnitCount {
            let byte = bytes[offset + index]
            let lower = (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
            if lower != word.utf8Start[index] { return false }
        }
        return true
    }

    /// Takes backslashes away; hexadecimal escapes are rare in addresses and stay as they are.
    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(0x5c) else { return String(decoding: bytes, as: UTF8.self) }
        var result: [UInt8] = []
        var isEscaped = false
        for byte in bytes {
            if byte == 0x5c, !isEscaped {
                isEscaped = true
            } else {
                result.append(byte)
                isEscaped = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isCSSBlank: Bool { self == 0x20 || (0x09...0x0d).contains(self) }
    fileprivate var isPartOfCSSName: Bool {
        (0x30...0x39).contains(self) || (0x61...0x7a).contains(self | 0x20) || self == 0x2d || self == 0x5f
            || self >= 0x80
    }
}
