/// Names one user.
package struct UserID: Identifier {
    package static let prefix = "user"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
