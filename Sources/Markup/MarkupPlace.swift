/// Finds out what a browser is reading at one place of a page, as its tokenizer would. When in doubt, it is not text.
struct MarkupPlace {
    /// What stands in them is no markup.
    private static let raw: Set<String> = [
        "iframe", "noembed", "noframes", "noscript", "script", "style", "textarea", "title", "xmp",
    ]
    /// Other rules hold within them; and what is within a heading is part of its words.
    private static let apart: Set<String> = [
        "h1", "h2", "h3", "h4", "h5", "h6", "math", "select", "svg", "template",
    ]

    private let bytes: UnsafeBufferPointer<UInt8>
    private let end: Int
    private var index = 0
    private var isInBody = false
    private var openApart: [String: Int] = [:]

    init(bytes: UnsafeBufferPointer<UInt8>, end: Int) {
        self.bytes = bytes
        self.end = end
    }

    /// Whether markup at `end` would be markup in the body of the page.
    mutating func isText() -> Bool {
        while index < end {
            if bytes[index] != 0x3c { index += 1 } else if !readMarkup() { return false }
        }
        return index == end && isInBody && openApart.values.allSatisfy { $0 == 0 }
    }

    /// Reads what begins with `<`. Returns whether it ends before the place, without any doubt.
    private mutating func readMarkup() -> Bool {
        guard index + 1 < end else { return false }
        switch bytes[index + 1] {
        case 0x21: return readDeclaration()
        case 0x3f: return skip(behind: 0x3e)
        case 0x2f:
            guard index + 2 < end else { return false }
            guard bytes[index + 2].isLetter else { return skip(behind: 0x3e) }
            index += 2
            return readEndTag()
        case let byte where byte.isLetter:
            index += 1
            return readStartTag()
        default:
            index += 1
            return true
        }
    }

    private mutating func readDeclaration() -> Bool {
        if starts(with: "<![cdata[", at: index) { return false }
        guard starts(with: "<!--", at: index) else { return skip(behind: 0x3e) }
        index += 4
        // Comments that end where they begin.
        if starts(with: ">", at: index) || starts(with: "->", at: index) { return false }
        while index < end {
            if starts(with: "--!>", at: index) { return false }
            if starts(with: "-->", at: index) {
                index += 3
                return true
            }
            index += 1
        }
        return false
    }

    private mutating func readEndTag() -> Bool {
        let name = readName()
        guard skipAttributes() != nil else { return false }
        if Self.apart.contains(name) { openApart[name] = max(0, openApart[name, default: 0] - 1) }
        return true
    }

    private mutating func readStartTag() -> Bool {
        let name = readName()
        guard let isSelfClosing = skipAttributes(), name != "plaintext" else { return false }
        if name == "body" { isInBody = true }
        let isApart = openApart.values.contains { $0 > 0 }
        if Self.apart.contains(name) {
            // In a drawing a tag can close itself.
            if !isSelfClosing || (name != "svg" && name != "math") { openApart[name, default: 0] += 1 }
        } else if Self.raw.contains(name) {
            guard !isApart, skipRawText(of: name) else { return false }
        }
        return true
    }

    /// Goes to the end tag. A script that opens a comment is read by rules of its own.
    private mutating func skipRawText(of name: String) -> Bool {
        let tag = "</" + name
        while index < end {
            if bytes[index] == 0x3c {
                if name == "script", starts(with: "<!--", at: index) { return false }
                let behind = index + tag.utf8.count
                if starts(with: tag, at: index), behind < end,
                    bytes[behind].isHTMLSpace || bytes[behind] == 0x2f || bytes[behind] == 0x3e
                {
                    return true
                }
            }
            index += 1
        }
        return false
    }

    /// The name of a tag; empty when it is none that matters here.
    private mutating func readName() -> String {
        let start = index
        while index < end, !bytes[index].isHTMLSpace, bytes[index] != 0x2f, bytes[index] != 0x3e { index += 1 }
        // Most tags are told by their first letter: body, h1, iframe, math, noscript, plaintext, script, template, xmp.
        guard index - start <= 9, "bhimnpstx".utf8.contains(bytes[start].lowercased) else { return "" }
        return String(decoding: bytes[start..<index].map(\.lowercased), as: UTF8.self)
    }

    /// Goes behind the `>` of a tag; `nil` when there is none before the place. Returns whether the tag closes itself.
    private mutating func skipAttributes() -> Bool? {
        var isSelfClosing = false
        while index < end {
            switch bytes[index] {
            case 0x3e:
                index += 1
                return isSelfClosing
            case 0x2f:
                isSelfClosing = true
                index += 1
            case let byte where byte.isHTMLSpace: index += 1
            default:
                isSelfClosing = false
                guard skipAttribute() else { return nil }
            }
        }
        return nil
    }

    private mutating func skipAttribute() -> Bool {
        // An equals sign at its beginning belongs to the name.
        index += 1
        while index < end, !bytes[index].isHTMLSpace, bytes[index] != 0x2f, bytes[index] != 0x3e, bytes[index] != 0x3d {
            index += 1
        }
        skipSpace()
        guard index < end, bytes[index] == 0x3d else { return index < end }
        index += 1
        skipSpace()
        guard index < end else { return false }
        switch bytes[index] {
        case 0x22, 0x27:
            let quote = bytes[index]
            index += 1
            return skip(behind: quote)
        default:
            while index < end, !bytes[index].isHTMLSpace, bytes[index] != 0x3e { index += 1 }
            return index < end
        }
    }

    private mutating func skipSpace() {
        while index < end, bytes[index].isHTMLSpace { index += 1 }
    }

    private mutating func skip(behind byte: UInt8) -> Bool {
        while index < end, bytes[index] != byte { index += 1 }
        guard index < end else { return false }
        index += 1
        return true
    }

    /// - Parameter text: in lower case.
    private func starts(with text: String, at place: Int) -> Bool {
        var place = place
        for byte in text.utf8 {
            guard place < end, bytes[place].lowercased == byte else { return false }
            place += 1
        }
        return true
    }
}

extension UInt8 {
    var isHTMLSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0a || self == 0x0c || self == 0x0d }
    var isLetter: Bool { (0x61...0x7a).contains(self | 0x20) }
    var lowercased: UInt8 { (0x41...0x5a).contains(self) ? self | 0x20 : self }
}
