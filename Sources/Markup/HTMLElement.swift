/// One element of a parsed page.
package struct HTMLElement: Sendable, Hashable {
    package let document: HTMLDocument
    let index: Int

    private var node: HTMLNode { document.nodes[index] }

    package static func == (left: Self, right: Self) -> Bool {
        left.document === right.document && left.index == right.index
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(index) }

    /// In lower case.
    package var name: String { document.tree.names[Int(node.name)] }

    package var attributes: [HTMLAttribute] {
        let tree = document.tree
        return (node.attributes.range ?? 0..<0).map { tree.seen(tree.attributes[$0]) }
    }

    package func attribute(_ name: String) -> HTMLAttribute? {
        stored(name).map { document.tree.seen($0) }
    }

    /// The value of an attribute, its entities decoded.
    package subscript(_ name: String) -> String? { stored(name).map { document.tree.text($0.value) } }

    private func stored(_ name: String) -> HTMLTree.Attribute? {
        guard let range = node.attributes.range else { return nil }
        let tree = document.tree
        for index in range where tree.names[Int(tree.attributes[index].name)] == name { return tree.attributes[index] }
        return nil
    }

    /// The class names.
    package var classes: [Substring] { (self["class"] ?? "").split { $0.isWhitespace } }

    /// The start tag in the source; `nil` when the parser made this element up.
    package var startTag: Range<Int>? { node.source }
    /// The end tag in the source; `nil` when the element has none, or lost it to another one.
    package var endTag: Range<Int>? { node.endTag }

    /// What is between the tags in the source; `nil` when the element is not in the source as such.
    package var content: Range<Int>? { node.source.map { $0.upperBound..<max($0.upperBound, node.contentEnd) } }

    /// The element with its tags in the source; `nil` when the element is not in the source as such.
    package var range: Range<Int>? {
        node.source.map { $0.lowerBound..<max($0.upperBound, node.endTag?.upperBound ?? node.contentEnd) }
    }

    package var parent: HTMLElement? {
        node.parent < 0 ? nil : HTMLElement(document: document, index: Int(node.parent))
    }

    /// From the nearest to the outermost.
    package var ancestors: some Sequence<HTMLElement> {
        sequence(state: index) { [document] index -> HTMLElement? in
            let parent = Int(document.nodes[index].parent)
            guard parent >= 0 else { return nil }
            index = parent
            return HTMLElement(document: document, index: parent)
        }
    }

    /// All elements within this one, in document order.
    package var descendants: [HTMLElement] {
        (index + 1..<Int(node.subtreeEnd)).compactMap {
            document.nodes[$0].kind == .element ? HTMLElement(document: document, index: $0) : nil
        }
    }

    package func descendants(named name: String) -> [HTMLElement] {
        guard let name = document.tree.number(of: name) else { return [] }
        return (index + 1..<Int(node.subtreeEnd)).compactMap { index in
            let node = document.nodes[index]
            return node.kind == .element && node.name == name ? HTMLElement(document: document, index: index) : nil
        }
    }

    /// The elements directly within this one.
    package var children: [HTMLElement] {
        var found: [HTMLElement] = []
        var child = index + 1
        while child < Int(node.subtreeEnd) {
            if document.nodes[child].kind == .element { found.append(HTMLElement(document: document, index: child)) }
            child = Int(document.nodes[child].subtreeEnd)
        }
        return found
    }

    /// All texts within this element.
    package var texts: [HTMLText] { document.texts(in: index + 1..<Int(node.subtreeEnd)) }

    /// All text within this element, its entities decoded.
    package var textContent: String {
        let tree = document.tree
        var bytes: [UInt8] = []
        for index in index + 1..<Int(node.subtreeEnd) where tree.nodes[index].kind == .text {
            if let range = tree.nodes[index].text.range { bytes += tree.decoded[range] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text as a person reads it: runs of white space are one space, none at the ends.
    package var readableText: String { textContent.collapsingWhitespace }

    /// Elements that never have content or an end tag.
    package var isVoid: Bool { Self.voidNames.contains(name) }

    private static let voidNames: Set<String> = [
        "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link",
        "meta",
        "param", "source", "track", "wbr",
    ]
}

extension StringProtocol {
    /// Runs of white space become one space; none is left at the ends.
    package var collapsingWhitespace: String {
        var result = ""
        var pending = false
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x20, 0x09, 0x0a, 0x0c, 0x0d, 0xa0: pending = !result.isEmpty
            default:
                if pending { result.append(" ") }
                pending = false
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
