/// Names one personal access token. It opens nothing.
package struct PersonalTokenID: Identifier {
    package static let prefix = "token"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
