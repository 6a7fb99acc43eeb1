/// One node of a parsed page, in a flat array in document order.
struct HTMLNode: Sendable {
    enum Kind: UInt8, Sendable { case element, text, comment }

    let kind: Kind
    /// The lower-case name of an element; of other nodes, the text with its entities decoded.
    let text: String
    let attributes: [HTMLAttribute]
    /// The element around it; -1 at the top.
    let parent: Int32
    /// Just past the last node within this one.
    var subtreeEnd: Int32
    /// The start tag, or the whole of a text or comment; `nil` when the parser made the node up.
    let source: Range<Int>?
    /// The end tag, when this element has one in the source.
    var endTag: Range<Int>?
    /// Where the content ends in the source.
    var contentEnd: Int
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
