import Glibc

/// Bytes to look for words in, with the C library's search.
struct ByteText {
    let bytes: [UInt8]

    init(_ text: some StringProtocol) { bytes = Array(text.utf8) }
    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Where each `word` begins; at most `limit`.
    func places(of word: String, limit: Int = 1000) -> [Int] {
        let needle = Array(word.utf8)
        return bytes.withUnsafeBytes { haystack in
            guard let base = haystack.baseAddress, let first = needle.first else { return [] }
            var found: [Int] = []
            var start = 0
            // The C library looks for the first byte, which is most of the work.
            while found.count < limit, haystack.count - start >= needle.count,
                let hit = memchr(base + start, Int32(first), haystack.count - start - needle.count + 1)
            {
                let offset = base.distance(to: UnsafeRawPointer(hit))
                if memcmp(hit, needle, needle.count) == 0 { found.append(offset) }
                start = offset + 1
            }
            return found
        }
    }

    func contains(_ word: String) -> Bool { !places(of: word, limit: 1).isEmpty }

    subscript(_ offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }

    /// How many bytes from `offset` on are letters, digits, or among `others`.
    func length(ofWordAt offset: Int, with others: Set<UInt8> = [0x5f, 0x2d]) -> Int {
        var end = offset
        while let byte = self[end], byte.isASCIILetterOrDigit || others.contains(byte) { end += 1 }
        return end - offset
    }

    func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self)
    }
}

extension UInt8 {
    var isASCIILetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self)
    }
}
