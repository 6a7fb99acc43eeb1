/// A mistake in the tags of a page that changes what visitors see. Parsers note many more that change nothing.
package struct HTMLProblem: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Sendable {
        /// A start tag whose end tag is missing.
        case unclosed
        /// An end tag that closes nothing.
        case stray
        /// A comment without an end: it hides the rest of the page.
        case comment
        /// Bytes that are not text.
        case binary
        /// Text that is not UTF-8, in a page that does not say so.
        case encoding
    }

    package let kind: Kind
    /// The name of the tag; empty for problems that have none.
    package let name: String
    /// From 1.
    package let line: Int

    package init(kind: Kind, name: String, line: Int) {
        self.kind = kind
        self.name = name
        self.line = line
    }

    /// The first problems of a page, in the order of the source; at most `limit`.
    package static func problems(of document: HTMLDocument, limit: Int = 20) -> [HTMLProblem] {
        var found: [(offset: Int, kind: Kind, name: String)] = []
        if let offset = document.source.firstIndex(of: 0) { found.append((offset, .binary, "")) }
        if !document.isUTF8, !document.declaresOtherEncoding { found.append((0, .encoding, "")) }

        var known = Set<Int>()  // where end tags that close something begin
        var skipped: [Range<Int>] = []  // where `</` is not an end tag
        var foreignUntil = 0
        let tree = document.tree
        // Each name is looked up once, and not for every element that has it.
        let isRawText = tree.names.map(rawTextNames.contains)
        let isForeignName = tree.names.map { $0 == "svg" || $0 == "math" }
        let mustClose = tree.names.map(needsEndTag.contains)
        for (index, node) in document.nodes.enumerated() {
            switch node.kind {
            case .text: continue
            case .comment:
                guard let range = node.source else { continue }
                skipped.append(range)
                let bytes = document.source[range]
                if bytes.starts(with: "<!--".utf8), !bytes.isClosedComment {
                    found.append((range.lowerBound, .comment, ""))
                }
            case .element:
                if let endTag = node.endTag { known.insert(endTag.lowerBound) }
                guard let startTag = node.source else { continue }
                skipped.append(startTag)
                let name = Int(node.name)
                if isRawText[name] { skipped.append(startTag.upperBound..<node.contentEnd) }
                let isForeign = index < foreignUntil || isForeignName[name]
                if isForeign { foreignUntil = max(foreignUntil, Int(node.subtreeEnd)) }
                let closesItself = isForeign && document.source[startTag.upperBound - 2] == 0x2f
                if node.endTag == nil, !closesItself, mustClose[name] {
                    found.append((startTag.lowerBound, .unclosed, tree.names[name]))
                }
            }
        }
        found += strayEndTags(in: document, known: known, skipped: skipped)
        found.sort { $0.offset < $1.offset }
        return found.prefix(limit).map { HTMLProblem(kind: $0.kind, name: $0.name, line: document.line(at: $0.offset)) }
    }

    private static func strayEndTags(
        in document: HTMLDocument, known: Set<Int>, skipped: [Range<Int>]
    ) -> [(offset: Int, kind: Kind, name: String)] {
        var found: [(offset: Int, kind: Kind, name: String)] = []
        let source = document.source
        var skipped = skipped.sorted { $0.lowerBound < $1.lowerBound }[...]
        for offset in document.openings where offset + 2 < source.count && source[offset + 1] == 0x2f {
            while let first = skipped.first, first.upperBound <= offset { skipped.removeFirst() }
            if let first = skipped.first, first.contains(offset) { continue }
            guard !known.contains(offset) else { continue }
            let bytes = source[(offset + 2)...].prefix(12).prefix { $0 > 0x20 && $0 != 0x2f && $0 != 0x3e }
            let name = String(decoding: bytes, as: UTF8.self).lowercased()
            if needsEndTag.contains(name) { found.append((offset, .stray, name)) }
        }
        return found
    }

    /// Elements whose content is not parsed.
    private static let rawTextNames: Set<String> = [
        "iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp",
    ]

    /// Elements that change the rest of the page when their end tag is missing.
    private static let needsEndTag: Set<String> = [
        "a", "address", "article", "aside", "audio", "b", "blockquote", "button", "canvas", "code", "details", "dialog",
        "div", "dl", "em", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
        "header", "i", "iframe", "label", "main", "map", "nav", "noscript", "object", "ol", "picture", "pre", "script",
        "section", "select", "small", "span", "strong", "style", "summary", "svg", "table", "template", "textarea",
        "title", "u", "ul", "video",
    ]
}

extension HTMLDocument {
    /// Whether the bytes are proper UTF-8.
    package var isUTF8: Bool { String(validating: source, as: UTF8.self) != nil }

    /// Whether the page says that it is written in an encoding other than UTF-8.
    package var declaresOtherEncoding: Bool {
        elements(named: "meta").contains { meta in
            let declared = (meta["charset"] ?? meta["content"] ?? "").lowercased()
            guard meta["charset"] != nil || declared.contains("charset=") else { return false }
            return !declared.contains("utf-8") && !declared.contains("utf8")
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether a comment that begins with `<!--` ends as one; `<!-->` and `<!--->` do.
    fileprivate var isClosedComment: Bool {
        suffix(3).elementsEqual("-->".utf8) || suffix(4).elementsEqual("--!>".utf8) || (count <= 6 && last == 0x3e)
    }
}
