/// Names one conversation about a site.
package struct ConversationID: Identifier {
    package static let prefix = "conv"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
