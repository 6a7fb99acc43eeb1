/// Names one log-in session of a user.
package struct SessionID: Identifier {
    package static let prefix = "sess"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
