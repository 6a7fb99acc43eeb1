/// Names one edit.
package struct EditID: Identifier {
    package static let prefix = "edit"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
