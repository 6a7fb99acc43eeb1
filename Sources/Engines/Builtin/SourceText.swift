import Glibc
import Markup

/// Finds words in the texts of a page, and where they are in the source: through entities, runs of white space and
/// either kind of quotation marks.
enum SourceText {
    /// How well a match fits; the least is the best.
    enum Kind: Int, Comparable {
        case word, part, wordInOtherCase, partInOtherCase

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    struct Match {
        let range: Range<Int>
        let kind: Kind
    }

    /// What is looked for.
    struct Needle {
        let scalars: [Unicode.Scalar]
        let folded: [Unicode.Scalar]
        /// The longest run of plain letters and digits: a page without it cannot match.
        private let probe: [UInt8]

        init(_ text: String) {
            scalars = text.collapsingWhitespace.unicodeScalars.map(SourceText.plain)
            folded = scalars.map(SourceText.lowercase)
            probe =
                text.utf8.split { !(0x61...0x7a).contains($0 | 0x20) && !(0x30...0x39).contains($0) }
                .map { Array($0) }.max { $0.count < $1.count } ?? []
        }

        /// Whether looking closer is worth while, in the needle's own capitals or in any.
        func mayOccur(in bytes: [UInt8], anyCase: Bool) -> Bool {
            guard !scalars.isEmpty else { return false }
            return probe.isEmpty || anyCase || bytes.firstRange(of: probe) != nil
        }
    }

    /// The matches in all texts that people read, in order. They do not overlap.
    static func matches(of needle: Needle, in document: HTMLDocument) -> [Match] {
        document.texts.flatMap { text -> [Match] in
            guard let range = text.range, let parent = text.parent?.name, !unread.contains(parent) else { return [] }
            return matches(of: needle, in: Mapped(document.source, range))
        }
    }

    private static let unread: Set<String> = [
        "script", "style", "template", "noscript", "iframe", "xmp", "plaintext", "noembed", "noframes",
    ]

    private static func matches(of needle: Needle, in text: Mapped) -> [Match] {
        let count = needle.scalars.count
        guard count > 0, text.scalars.count >= count else { return [] }
        var found: [Match] = []
        var start = 0
        while start + count <= text.scalars.count {
            let window = start..<start + count
            let isExact = text.scalars[window].elementsEqual(needle.scalars)
            guard isExact || text.scalars[window].lazy.map(lowercase).elementsEqual(needle.folded) else {
                start += 1
                continue
            }
            let isWord =
                !(start > 0 && isLetter(text.scalars[start - 1]) && isLetter(needle.scalars[0]))
                && !(window.upperBound < text.scalars.count && isLetter(text.scalars[window.upperBound])
                    && isLetter(needle.scalars[count - 1]))
            let kind: Kind = isExact ? (isWord ? .word : .part) : (isWord ? .wordInOtherCase : .partInOtherCase)
            found.append(Match(range: text.starts[start]..<text.ends[window.upperBound - 1], kind: kind))
            start += count
        }
        return found
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
    }

    fileprivate static func lowercase(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let mapping = scalar.properties.lowercaseMapping.unicodeScalars
        return mapping.count == 1 ? mapping.first! : scalar
    }

    fileprivate static func plain(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar {
        case "‘", "’", "‚", "‛": "'"
        case "“", "”", "„", "‟": "\""
        case "\u{a0}": " "
        default: scalar
        }
    }

    /// A text of the source, decoded, with the place of each scalar.
    private struct Mapped {
        var scalars: [Unicode.Scalar] = []
        var starts: [Int] = []
        var ends: [Int] = []

        init(_ source: [UInt8], _ range: Range<Int>) {
            guard let text = String(validating: source[range], as: UTF8.self) else { return }
            var offset = range.lowerBound
            var skipUntil = offset
            for scalar in text.unicodeScalars {
                let end = offset + UTF8.width(scalar)
                defer { offset = end }
                guard offset >= skipUntil else { continue }
                if scalar == "&", let (decoded, length) = HTMLEntity.decode(source[offset..<range.upperBound]) {
                    append(plain(decoded), offset..<offset + length)
                    skipUntil = offset + length
                } else if scalar == "<" {
                    // A tag that the parser dropped; words do not run across it.
                    append("\u{ffff}", offset..<end)
                } else {
                    append(plain(scalar), offset..<end)
                }
            }
        }

        private mutating func append(_ scalar: Unicode.Scalar, _ range: Range<Int>) {
            if scalar.properties.isWhitespace {
                if scalars.last == " " {
                    ends[ends.count - 1] = range.upperBound
                    return
                }
                scalars.append(" ")
            } else {
                scalars.append(scalar)
            }
            starts.append(range.lowerBound)
            ends.append(range.upperBound)
        }
    }
}

extension [UInt8] {
    /// Where other bytes first occur.
    func firstRange(of needle: [UInt8]) -> Range<Int>? {
        guard let first = needle.first else { return nil }
        return withUnsafeBytes { bytes in
            needle.withUnsafeBytes { needle in
                guard let base = bytes.baseAddress, let wanted = needle.baseAddress else { return nil }
                var start = 0
                while start + needle.count <= bytes.count,
                    let hit = memchr(base + start, Int32(first), bytes.count - start - needle.count + 1)
                {
                    start = base.distance(to: UnsafeRawPointer(hit))
                    if memcmp(hit, wanted, needle.count) == 0 { return start..<start + needle.count }
                    start += 1
                }
                return nil
            }
        }
    }
}

/// Character references that pages really have in their words.
enum HTMLEntity {
    /// Reads the reference that `bytes` begin with, and its length.
    static func decode(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        let inner = bytes.dropFirst().prefix(12)
        guard let end = inner.firstIndex(of: 0x3b), end > inner.startIndex else { return nil }
        let name = String(decoding: inner[..<end], as: UTF8.self)
        let length = end + 1 - bytes.startIndex
        if name.hasPrefix("#") {
            let isHexadecimal = name.dropFirst().first.map { "xX".contains($0) } ?? false
            let digits = name.dropFirst(isHexadecimal ? 2 : 1)
            guard let value = UInt32(digits, radix: isHexadecimal ? 16 : 10), let scalar = Unicode.Scalar(value) else {
                return nil
            }
            return (scalar, length)
        }
        return table[name].map { ($0, length) }
    }

    private static let table: [String: Unicode.Scalar] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": "\u{a0}", "copy": "©", "reg": "®",
        "trade": "™", "hellip": "…",
        "mdash": "—", "ndash": "–", "lsquo": "‘", "rsquo": "’", "sbquo": "‚", "ldquo": "“", "rdquo": "”", "bdquo": "„",
        "laquo": "«", "raquo": "»",
        "middot": "·", "bull": "•", "euro": "€", "pound": "£", "yen": "¥", "cent": "¢", "sect": "§", "para": "¶",
        "deg": "°", "times": "×",
        "divide": "÷", "frac12": "½", "frac14": "¼", "frac34": "¾", "eacute": "é", "egrave": "è", "ecirc": "ê",
        "agrave": "à", "aacute": "á",
        "acirc": "â", "auml": "ä", "ouml": "ö", "uuml": "ü", "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü", "szlig": "ß",
        "ccedil": "ç", "ntilde": "ñ",
        "oacute": "ó", "iacute": "í", "uacute": "ú", "ocirc": "ô", "aring": "å", "oslash": "ø", "aelig": "æ",
        "larr": "←", "rarr": "→", "shy": "\u{ad}",
        "ensp": "\u{2002}", "emsp": "\u{2003}", "thinsp": "\u{2009}", "zwnj": "\u{200c}", "zwj": "\u{200d}",
    ]
}
