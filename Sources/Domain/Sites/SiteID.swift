/// Names one site.
package struct SiteID: Identifier {
    package static let prefix = "site"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
