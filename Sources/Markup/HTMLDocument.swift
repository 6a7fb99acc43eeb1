import Glibc

/// A parsed page that remembers where each part is in the source, so that an edit can change that part and nothing else.
///
/// Any bytes can be parsed: pages come from strangers. Trees of any depth are walked without recursion.
package final class HTMLDocument: Sendable {
    /// How much a page may cost to look at.
    package struct Limits: Sendable {
        package var sizeInBytes: Int
        package var memoryInBytes: Int
        package var processorTime: Duration
        package static let standard = Limits(
            sizeInBytes: 8 << 20, memoryInBytes: 256 << 20, processorTime: .seconds(3))

        package init(sizeInBytes: Int, memoryInBytes: Int, processorTime: Duration) {
            self.sizeInBytes = sizeInBytes
            self.memoryInBytes = memoryInBytes
            self.processorTime = processorTime
        }
    }

    package let source: [UInt8]
    let tree: HTMLTree
    var nodes: [HTMLNode] { tree.nodes }
    /// The `href` of `base`, raw: what the links of the page are relative to.
    package let baseAddress: String?

    package init(parsing source: [UInt8], limits: Limits = .standard) throws(HTMLParsingError) {
        self.source = source
        let tree = try HTMLTreeReader.tree(of: source, limits: limits)
        self.tree = tree
        let base = tree.number(of: "base").flatMap { name in
            tree.nodes.first { $0.kind == .element && $0.name == name }
        }
        baseAddress = base.flatMap { base in tree.number(of: "href").flatMap { tree.value(of: $0, in: base) } }
    }

    package convenience init(parsing text: String, limits: Limits = .standard) throws(HTMLParsingError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }

    /// All elements in document order, those that the parser made up (`html`, `tbody`) included.
    package var elements: some Sequence<HTMLElement> {
        nodes.indices.lazy.filter { self.nodes[$0].kind == .element }.map { HTMLElement(document: self, index: $0) }
    }

    /// The elements of one name, in document order.
    package func elements(named name: String) -> [HTMLElement] {
        guard let name = tree.number(of: name) else { return [] }
        return nodes.indices.compactMap { index in
            nodes[index].kind == .element && nodes[index].name == name
                ? HTMLElement(document: self, index: index) : nil
        }
    }

    package func firstElement(named name: String) -> HTMLElement? {
        guard let name = tree.number(of: name) else { return nil }
        return nodes.firstIndex { $0.kind == .element && $0.name == name }
            .map { HTMLElement(document: self, index: $0) }
    }

    /// All texts in document order, scripts and style sheets included.
    package var texts: [HTMLText] { texts(in: nodes.indices) }

    func texts(in range: Range<Int>) -> [HTMLText] {
        range.compactMap { index in
            nodes[index].kind == .text ? HTMLText(document: self, index: index) : nil
        }
    }

    /// Where the comments are in the source. `<?php … ?>` is a comment to a browser.
    package var commentRanges: [Range<Int>] { nodes.compactMap { $0.kind == .comment ? $0.source : nil } }

    /// Where each `<` is in the source.
    var openings: [Int] {
        source.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return [] }
            var found: [Int] = []
            var next = 0
            while next < buffer.count, let hit = memchr(base + next, 0x3c, buffer.count - next) {
                let offset = base.distance(to: UnsafeRawPointer(hit))
                found.append(offset)
                next = offset + 1
            }
            return found
        }
    }

    /// The bytes of a range as text; what is not UTF-8 is replaced.
    package func text(in range: Range<Int>) -> String { String(decoding: source[range], as: UTF8.self) }

    /// The line of a byte, from 1.
    package func line(at offset: Int) -> Int {
        source[..<min(offset, source.count)].reduce(1) { $1 == 0x0a ? $0 + 1 : $0 }
    }
}

/// One run of text of a page.
package struct HTMLText: Sendable {
    package let document: HTMLDocument
    let index: Int

    /// With its entities decoded.
    package var value: String { document.tree.text(document.nodes[index].text) }
    /// In the source; it may hold stray tags that the parser dropped. `nil` when it is not in the source as such.
    package var range: Range<Int>? { document.nodes[index].source }
    package var parent: HTMLElement? {
        let parent = Int(document.nodes[index].parent)
        return parent < 0 ? nil : HTMLElement(document: document, index: parent)
    }
}
