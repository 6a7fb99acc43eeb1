/// Finds the declarations of a style sheet (`--accent: teal`) and where their values are.
///
/// This knows comments, strings, brackets and braces of CSS and nothing else of its grammar, and so reads any bytes.
package struct CSSDeclarations {
    /// One declaration, in the source.
    package struct Found: Sendable, Equatable {
        /// As written.
        package let name: String
        /// Without blanks at its ends.
        package let value: Range<Int>
        /// What stands before each open brace around it, outermost first, such as `@media (…)` and `:root`.
        package let context: [String]
    }

    private let bytes: [UInt8]

    package static func declarations(in bytes: [UInt8]) -> [Found] { CSSDeclarations(bytes: bytes).scan() }

    private func scan() -> [Found] {
        var found: [Found] = []
        var context: [String] = []
        var start = 0  // of what is being read: a selector or a declaration
        var colon: Int?
        var brackets = 0
        var offset = 0
        func finish(at end: Int) {
            if let colon, !context.isEmpty, let name = trimmed(start..<colon), let value = trimmed(colon + 1..<end) {
                found.append(Found(name: text(name), value: value, context: context))
            }
        }
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x2f where offset + 1 < bytes.count && bytes[offset + 1] == 0x2a:
                let end = endOfComment(from: offset)
                // A comment before a name or a selector is no part of it.
                if trimmed(start..<offset) == nil { start = end }
                offset = end
                continue
            case 0x22, 0x27:
                offset = endOfString(from: offset)
                continue
            case 0x5c: offset += 1
            case 0x28, 0x5b: brackets += 1
            case 0x29, 0x5d: brackets = max(0, brackets - 1)
            case 0x3a where brackets == 0: colon = colon ?? offset
            case 0x7b where brackets == 0:
                context.append(trimmed(start..<offset).map(text) ?? "")
                (start, colon) = (offset + 1, nil)
            case 0x7d:
                finish(at: offset)
                _ = context.popLast()
                (start, colon, brackets) = (offset + 1, nil, 0)
            case 0x3b where brackets == 0:
                finish(at: offset)
                (start, colon) = (offset + 1, nil)
            default: break
            }
            offset += 1
        }
        return found
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func trimmed(_ range: Range<Int>) -> Range<Int>? {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, bytes[start] <= 0x20 { start += 1 }
        while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
        return start < end ? start..<end : nil
    }

    private func endOfComment(from start: Int) -> Int {
        var offset = start + 2
        while offset + 1 < bytes.count {
            if bytes[offset] == 0x2a, bytes[offset + 1] == 0x2f { return offset + 2 }
            offset += 1
        }
        return bytes.count
    }

    private func endOfString(from start: Int) -> Int {
        var offset = start + 1
        while offset < bytes.count, bytes[offset] != bytes[start], bytes[offset] != 0x0a {
            offset += bytes[offset] == 0x5c ? 2 : 1
        }
        return min(offset + 1, bytes.count)
    }
}
