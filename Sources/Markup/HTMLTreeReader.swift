import CGumbo
import Glibc

/// Copies gumbo's tree into Swift values, so that none of its pointers outlives the parse.
struct HTMLTreeReader {
    private let base: UnsafePointer<CChar>
    private let count: Int
    private var nodes: [HTMLNode] = []

    static func nodes(of source: [UInt8], limits: HTMLDocument.Limits) throws(HTMLParsingError) -> [HTMLNode] {
        guard source.count <= limits.sizeInBytes else { throw .tooLarge }
        let nanoseconds = UInt64(max(0, limits.processorTime / .nanoseconds(1)))
        let result = (source.isEmpty ? [0] : source).withUnsafeBytes { buffer -> Result<[HTMLNode], HTMLParsingError> in
            let bytes = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
            let parse = guarded_parse(bytes, source.count, limits.memoryInBytes, nanoseconds)
            defer { guarded_parse_free(parse) }
            guard let document = parse.document else {
                return .failure(parse.outcome == GUARDED_PARSE_FAULT ? .unreadable : .tooComplex)
            }
            var reader = HTMLTreeReader(base: bytes, count: source.count)
            reader.read(document)
            return .success(reader.nodes)
        }
        return try result.get()
    }

    private init(base: UnsafePointer<CChar>, count: Int) {
        self.base = base
        self.count = count
    }

    /// Walks the tree with a stack of its own: pages nest as deep as they like.
    private mutating func read(_ document: UnsafePointer<GumboNode>) {
        struct Level {
            let children: GumboVector
            let node: Int
            var next: UInt32 = 0
        }
        var levels = [Level(children: document.pointee.v.document.children, node: -1)]
        while var level = levels.popLast() {
            guard level.next < level.children.length, let pointer = level.children.data[Int(level.next)] else {
                if level.node >= 0 { close(level.node) }
                continue
            }
            level.next += 1
            levels.append(level)
            let child = UnsafePointer(pointer.assumingMemoryBound(to: GumboNode.self))
            append(child, parent: level.node)
            if child.isElement {
                levels.append(Level(children: child.pointee.v.element.children, node: nodes.count - 1))
            }
        }
    }

    private mutating func close(_ index: Int) {
        nodes[index].subtreeEnd = Int32(nodes.count)
        let node = nodes[index]
        // Gumbo takes a form off its stack without noting where it ended: its end tag follows its last descendant.
        guard node.text == "form", node.kind == .element, node.endTag == nil, let startTag = node.source else { return }
        var end = startTag.upperBound
        for inner in nodes[(index + 1)...] {
            end = max(end, inner.endTag?.upperBound ?? inner.contentEnd, inner.source?.upperBound ?? 0)
        }
        nodes[index].contentEnd = end
        while let tag = nextTag(from: end) {
            if writtenName(in: tag.lowerBound + 1..<tag.upperBound) == "form" { return }
            end = tag.upperBound
            guard base[tag.lowerBound + 1] == 0x2f, writtenName(in: tag.lowerBound + 2..<tag.upperBound) == "form"
            else {
                continue
            }
            nodes[index].endTag = tag
            nodes[index].contentEnd = tag.lowerBound
            return
        }
    }

    /// From the next `<` to the `>` behind it.
    private func nextTag(from offset: Int) -> Range<Int>? {
        guard offset < count, let open = memchr(base + offset, 0x3c, count - offset) else { return nil }
        let start = UnsafeRawPointer(base).distance(to: open)
        guard let close = memchr(open, 0x3e, count - start) else { return nil }
        return start..<UnsafeRawPointer(base).distance(to: close) + 1
    }

    private mutating func append(_ node: UnsafePointer<GumboNode>, parent: Int) {
        let after = Int32(nodes.count + 1)
        guard node.isElement else {
            let text = node.pointee.v.text
            let source = range(of: text.original_text)
            nodes.append(
                HTMLNode(
                    kind: node.pointee.type == GUMBO_NODE_COMMENT ? .comment : .text, text: String(cString: text.text),
                    attributes: [], parent: Int32(parent), subtreeEnd: after,
                    source: node.isCopy ? nil : source, endTag: nil, contentEnd: source?.upperBound ?? 0))
            return
        }
        let element = node.pointee.v.element
        let startTag = node.isCopy ? nil : range(of: element.original_tag).flatMap { isTag($0) ? $0 : nil }
        let name = name(of: element, startTag: startTag)
        // A copy has no start tag, yet its end tag may be real: `<p><b>one<p>two</b>`.
        let endTag = range(of: element.original_end_tag).flatMap {
            $0.lowerBound >= startTag?.upperBound ?? 0 && isEndTag($0, of: name, startTag: startTag) ? $0 : nil
        }
        var contentEnd = 0
        if let startTag {
            contentEnd = max(startTag.upperBound, min(count, endTag?.lowerBound ?? Int(element.end_pos.offset)))
        }
        nodes.append(
            HTMLNode(
                kind: .element, text: name, attributes: node.isCopy ? [] : attributes(of: element),
                parent: Int32(parent), subtreeEnd: after, source: startTag, endTag: endTag, contentEnd: contentEnd))
    }

    private func attributes(of element: GumboElement) -> [HTMLAttribute] {
        (0..<Int(element.attributes.length)).compactMap { index in
            guard let pointer = element.attributes.data[index] else { return nil }
            let attribute = pointer.assumingMemoryBound(to: GumboAttribute.self).pointee
            guard let nameRange = range(of: attribute.original_name) else { return nil }
            return HTMLAttribute(
                name: String(cString: attribute.name).lowercased(), value: String(cString: attribute.value),
                nameRange: nameRange,
                quotedValueRange: range(of: attribute.original_value) ?? nameRange.upperBound..<nameRange.upperBound)
        }
    }

    /// Known names come from gumbo; others are read from the start tag.
    private func name(of element: GumboElement, startTag: Range<Int>?) -> String {
        if element.tag != GUMBO_TAG_UNKNOWN {
            return String(cString: gumbo_normalized_tagname(element.tag)).lowercased()
        }
        guard let startTag else { return "unknown" }
        return writtenName(in: startTag.lowerBound + 1..<startTag.upperBound)
    }

    /// The name at the start of a range, in lower case, up to white space, `/` or `>`.
    private func writtenName(in range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        for offset in range {
            let byte = UInt8(bitPattern: base[offset])
            if byte <= 0x20 || byte == 0x2f || byte == 0x3e { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self).lowercased()
    }

    private func isTag(_ range: Range<Int>) -> Bool {
        range.count >= 3 && base[range.lowerBound] == 0x3c && base[range.upperBound - 1] == 0x3e
    }

    /// Gumbo notes the tag that closed an element, which may be another element's end tag.
    private func isEndTag(_ range: Range<Int>, of name: String, startTag: Range<Int>?) -> Bool {
        guard isTag(range), base[range.lowerBound + 1] == 0x2f else { return false }
        let written = writtenName(in: range.lowerBound + 2..<range.upperBound)
        guard written != name else { return true }
        return startTag.map { written == writtenName(in: $0.lowerBound + 1..<$0.upperBound) } ?? false
    }

    private func range(of piece: GumboStringPiece) -> Range<Int>? {
        guard let data = piece.data, piece.length > 0 else { return nil }
        let start = base.distance(to: data)
        guard start >= 0, start + piece.length <= count else { return nil }
        return start..<start + piece.length
    }
}

extension UnsafePointer<GumboNode> {
    fileprivate var isElement: Bool { pointee.type == GUMBO_NODE_ELEMENT || pointee.type == GUMBO_NODE_TEMPLATE }

    /// Whether the parser made this element from another one's start tag (`<b><p></b>` gives two `b`).
    fileprivate var isCopy: Bool {
        let copies =
            GUMBO_INSERTION_RECONSTRUCTED_FORMATTING_ELEMENT.rawValue | GUMBO_INSERTION_ADOPTION_AGENCY_CLONED.rawValue
        return pointee.parse_flags.rawValue & copies != 0
    }
}
