/// One node of a parsed page, in a flat array in document order.
///
/// It refers to other arrays by number and holds no memory of its own: a page has ten thousand of these.
struct HTMLNode: Sendable {
    enum Kind: UInt8, Sendable { case element, text, comment }

    let kind: Kind
    /// Of an element: where its lower-case name is in ``HTMLTree/names``.
    let name: Int32
    /// Of other nodes: where the text is in ``HTMLTree/decoded``, its entities decoded.
    let text: HTMLSpan
    /// In ``HTMLTree/attributes``.
    let attributes: HTMLSpan
    /// The element around it; -1 at the top.
    let parent: Int32
    /// Just past the last node within this one.
    var subtreeEnd: Int32
    private let sourceSpan: HTMLSpan
    private var endTagSpan: HTMLSpan
    private var contentEndOffset: Int32

    init(
        kind: Kind, name: Int32 = -1, text: HTMLSpan = .none, attributes: HTMLSpan = .none, parent: Int32,
        subtreeEnd: Int32, source: Range<Int>?, endTag: Range<Int>?, contentEnd: Int
    ) {
        self.kind = kind
        self.name = name
        self.text = text
        self.attributes = attributes
        self.parent = parent
        self.subtreeEnd = subtreeEnd
        sourceSpan = HTMLSpan(source)
        endTagSpan = HTMLSpan(endTag)
        contentEndOffset = Int32(contentEnd)
    }

    /// The start tag, or the whole of a text or comment; `nil` when the parser made the node up.
    var source: Range<Int>? { sourceSpan.range }

    /// The end tag, when this element has one in the source.
    var endTag: Range<Int>? {
        get { endTagSpan.range }
        set { endTagSpan = HTMLSpan(newValue) }
    }

    /// Where the content ends in the source.
    var contentEnd: Int {
        get { Int(contentEndOffset) }
        set { contentEndOffset = Int32(newValue) }
    }
}

/// A range in half the space; pages are smaller than 2 GiB by far.
struct HTMLSpan: Sendable {
    let start: Int32
    let end: Int32

    static let none = HTMLSpan(nil)

    init(_ range: Range<Int>?) {
        start = Int32(range?.lowerBound ?? -1)
        end = Int32(range?.upperBound ?? -1)
    }

    /// `nil` for ``none``.
    var range: Range<Int>? { start < 0 ? nil : Int(start)..<Int(end) }
}

/// The nodes of a page, and what they refer to.
struct HTMLTree: Sendable {
    struct Attribute: Sendable {
        /// In ``HTMLTree/names``.
        let name: Int32
        /// In ``HTMLTree/decoded``.
        let value: HTMLSpan
        let nameRange: HTMLSpan
        let quotedValueRange: HTMLSpan
    }

    var nodes: [HTMLNode] = []
    var attributes: [Attribute] = []
    /// The names of elements and attributes, in lower case, each once.
    var names: [String] = []
    /// Texts and values of attributes, their entities decoded.
    var decoded: [UInt8] = []

    func text(_ span: HTMLSpan) -> String {
        guard let range = span.range else { return "" }
        return String(decoding: decoded[range], as: UTF8.self)
    }

    /// The first attribute of a node with this name, by number.
    func attribute(_ name: Int32, of node: HTMLNode) -> Attribute? {
        guard let range = node.attributes.range else { return nil }
        for index in range where attributes[index].name == name { return attributes[index] }
        return nil
    }

    /// Its value, decoded.
    func value(of name: Int32, in node: HTMLNode) -> String? { attribute(name, of: node).map { text($0.value) } }

    /// An attribute as others see it.
    func seen(_ attribute: Attribute) -> HTMLAttribute {
        HTMLAttribute(
            name: names[Int(attribute.name)], value: text(attribute.value),
            nameRange: attribute.nameRange.range ?? 0..<0, quotedValueRange: attribute.quotedValueRange.range ?? 0..<0)
    }

    /// `nil` when nothing on the page has this name.
    func number(of name: String) -> Int32? { names.firstIndex(of: name).map { Int32($0) } }
}

/// One attribute of a start tag.
package struct HTMLAttribute: Sendable, Hashable {
    /// In lower case.
    package let name: String
    /// With its entities decoded; empty when there is none.
    package let value: String
    /// The name in the source.
    package let nameRange: Range<Int>
    /// The value in the source, its quotes included; empty when there is none.
    package let quotedValueRange: Range<Int>

    package init(name: String, value: String, nameRange: Range<Int>, quotedValueRange: Range<Int>) {
        self.name = name
        self.value = value
        self.nameRange = nameRange
        self.quotedValueRange = quotedValueRange
    }
}
