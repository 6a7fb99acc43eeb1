import CGumbo
import Glibc

/// Copies gumbo's tree into Swift values, so that none of its pointers outlives the parse.
struct HTMLTreeReader {
    private let base: UnsafePointer<CChar>
    private let count: Int
    private var tree = HTMLTree()
    private var numbers: [String: Int32] = [:]
    /// The numbers of the names that gumbo knows; -1 before a name's first use.
    private var tagNumbers = [Int32](repeating: -1, count: Int(GUMBO_TAG_LAST.rawValue) + 1)

    static func tree(of source: [UInt8], limits: HTMLDocument.Limits) throws(HTMLParsingError) -> HTMLTree {
        guard source.count <= limits.sizeInBytes else { throw .tooLarge }
        let nanoseconds = UInt64(max(0, limits.processorTime / .nanoseconds(1)))
        let result = (source.isEmpty ? [0] : source).withUnsafeBytes { buffer -> Result<HTMLTree, HTMLParsingError> in
            let bytes = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
            let parse = guarded_parse(bytes, source.count, limits.memoryInBytes, nanoseconds)
            defer { guarded_parse_free(parse) }
            guard let document = parse.document else {
                return .failure(parse.outcome == GUARDED_PARSE_FAULT ? .unreadable : .tooComplex)
            }
            var reader = HTMLTreeReader(base: bytes, count: source.count)
            reader.read(document)
            return .success(reader.tree)
        }
        return try result.get()
    }

    private init(base: UnsafePointer<CChar>, count: Int) {
        self.base = base
        self.count = count
        // Of a page's text most is text, and one node has some twenty bytes.
        tree.decoded.reserveCapacity(count / 2)
        tree.nodes.reserveCapacity(count / 20)
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
                levels.append(Level(children: child.pointee.v.element.children, node: tree.nodes.count - 1))
            }
        }
    }

    private mutating func close(_ index: Int) {
        tree.nodes[index].subtreeEnd = Int32(tree.nodes.count)
        let node = tree.nodes[index]
        // Gumbo takes a form off its stack without noting where it ended: its end tag follows its last descendant.
        guard node.kind == .element, node.endTag == nil, tree.names[Int(node.name)] == "form",
            let startTag = node.source
        else { return }
        var end = startTag.upperBound
        for inner in tree.nodes[(index + 1)...] {
            end = max(end, inner.endTag?.upperBound ?? inner.contentEnd, inner.source?.upperBound ?? 0)
        }
        tree.nodes[index].contentEnd = end
        while let tag = nextTag(from: end) {
            if writtenName(in: tag.lowerBound + 1..<tag.upperBound) == "form" { return }
            end = tag.upperBound
            guard base[tag.lowerBound + 1] == 0x2f, writtenName(in: tag.lowerBound + 2..<tag.upperBound) == "form"
            else {
                continue
            }
            tree.nodes[index].endTag = tag
            tree.nodes[index].contentEnd = tag.lowerBound
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
        let after = Int32(tree.nodes.count + 1)
        guard node.isElement else {
            let text = node.pointee.v.text
            let source = range(of: text.original_text)
            tree.nodes.append(
                HTMLNode(
                    kind: node.pointee.type == GUMBO_NODE_COMMENT ? .comment : .text, text: keep(text.text),
                    parent: Int32(parent), subtreeEnd: after, source: node.isCopy ? nil : source, endTag: nil,
                    contentEnd: source?.upperBound ?? 0))
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
        let attributes = node.isCopy ? HTMLSpan.none : keepAttributes(of: element)
        tree.nodes.append(
            HTMLNode(
                kind: .element, name: name, attributes: attributes, parent: Int32(parent), subtreeEnd: after,
                source: startTag, endTag: endTag, contentEnd: contentEnd))
    }

    private mutating func keepAttributes(of element: GumboElement) -> HTMLSpan {
        let start = tree.attributes.count
        for index in 0..<Int(element.attributes.length) {
            guard let pointer = element.attributes.data[index] else { continue }
            let attribute = pointer.assumingMemoryBound(to: GumboAttribute.self).pointee
            guard let nameRange = range(of: attribute.original_name) else { continue }
            tree.attributes.append(
                HTMLTree.Attribute(
                    name: number(of: String(cString: attribute.name).lowercased()), value: keep(attribute.value),
                    nameRange: HTMLSpan(nameRange),
                    quotedValueRange: HTMLSpan(
                        range(of: attribute.original_value) ?? nameRange.upperBound..<nameRange.upperBound)))
        }
        return start == tree.attributes.count ? .none : HTMLSpan(start..<tree.attributes.count)
    }

    /// Keeps a decoded text.
    private mutating func keep(_ text: UnsafePointer<CChar>) -> HTMLSpan {
        let start = tree.decoded.count
        tree.decoded.append(contentsOf: UnsafeRawBufferPointer(start: text, count: strlen(text)))
        return HTMLSpan(start..<tree.decoded.count)
    }

    private mutating func number(of name: String) -> Int32 {
        if let number = numbers[name] { return number }
        let number = Int32(tree.names.count)
        tree.names.append(name)
        numbers[name] = number
        return number
    }

    /// Known names come from gumbo; others are read from the start tag.
    private mutating func name(of element: GumboElement, startTag: Range<Int>?) -> Int32 {
        if element.tag != GUMBO_TAG_UNKNOWN {
            let tag = Int(element.tag.rawValue)
            if tagNumbers[tag] < 0 {
                tagNumbers[tag] = number(of: String(cString: gumbo_normalized_tagname(element.tag)).lowercased())
            }
            return tagNumbers[tag]
        }
        guard let startTag else { return number(of: "unknown") }
        return number(of: writtenName(in: startTag.lowerBound + 1..<startTag.upperBound))
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

    /// Whether the source has exactly these bytes at `offset`.
    private func isWritten(_ name: String, at offset: Int) -> Bool {
        var offset = offset
        for byte in name.utf8 {
            guard UInt8(bitPattern: base[offset]) == byte else { return false }
            offset += 1
        }
        return true
    }

    private func isTag(_ range: Range<Int>) -> Bool {
        range.count >= 3 && base[range.lowerBound] == 0x3c && base[range.upperBound - 1] == 0x3e
    }

    /// Gumbo notes the tag that closed an element, which may be another element's end tag.
    private func isEndTag(_ range: Range<Int>, of name: Int32, startTag: Range<Int>?) -> Bool {
        guard isTag(range), base[range.lowerBound + 1] == 0x2f else { return false }
        let name = tree.names[Int(name)]
        if range.count == name.utf8.count + 3, isWritten(name, at: range.lowerBound + 2) { return true }
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
