/// A SHA-256: the name of a blob, or of a manifest. Hashing itself is in `Artifacts`.
///
/// Its 32 bytes are stored in place: a list of ten thousand files holds ten thousand of these.
package struct ContentDigest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The bytes of the hash in order, the first ones the most significant.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// From 64 lower-case hexadecimal digits; `nil` for anything else.
    package init?(_ text: String) {
        var text = text
        guard let words = text.withUTF8({ Self.words(fromDigits: $0) }) else { return nil }
        self.words = words
    }

    /// From the UTF-8 of 64 lower-case hexadecimal digits; `nil` for anything else.
    package init?(digits: UnsafeBufferPointer<UInt8>) {
        guard let words = Self.words(fromDigits: digits) else { return nil }
        self.words = words
    }

    /// From the 32 bytes of the hash; `nil` for any other number.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for (index, byte) in bytes.enumerated() {
            switch index >> 3 {
            case 0: words.0 = words.0 << 8 | UInt64(byte)
            case 1: words.1 = words.1 << 8 | UInt64(byte)
            case 2: words.2 = words.2 << 8 | UInt64(byte)
            default: words.3 = words.3 << 8 | UInt64(byte)
            }
        }
        self.words = words
    }

    private static func words(fromDigits digits: UnsafeBufferPointer<UInt8>) -> (UInt64, UInt64, UInt64, UInt64)? {
        guard digits.count == 64 else { return nil }
        func word(_ start: Int) -> UInt64? {
            var value: UInt64 = 0
            for index in start..<start + 16 {
                guard let digit = Hexadecimal.value(of: digits[index]) else { return nil }
                value = value << 4 | UInt64(digit)
            }
            return value
        }
        guard let first = word(0), let second = word(16), let third = word(32), let fourth = word(48) else {
            return nil
        }
        return (first, second, third, fourth)
    }

    /// 64 lower-case hexadecimal digits.
    package var text: String {
        String(unsafeUninitializedCapacity: 64) { writeDigits(to: $0) }
    }

    /// Writes the 64 digits and returns their number. `buffer` has room for them.
    @discardableResult
    package func writeDigits(to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        func write(_ word: UInt64, at offset: Int) {
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * index) & 15)
                buffer[offset + index] = digit < 10 ? 0x30 + digit : 0x57 + digit
            }
        }
        write(words.0, at: 0)
        write(words.1, at: 16)
        write(words.2, at: 32)
        write(words.3, at: 48)
        return 64
    }

    package var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            func write(_ word: UInt64, at offset: Int) {
                for index in 0..<8 {
                    buffer.initializeElement(
                        at: offset + index, to: UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * index)))
                }
            }
            write(words.0, at: 0)
            write(words.1, at: 8)
            write(words.2, at: 16)
            write(words.3, at: 24)
            count = 32
        }
    }

    /// The first 12 digits, as used in names on serving hosts.
    package var abbreviated: String { String(text.prefix(12)) }

    package var description: String { text }

    package static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    package static func < (left: Self, right: Self) -> Bool { left.words < right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}
