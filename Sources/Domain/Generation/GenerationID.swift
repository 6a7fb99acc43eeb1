/// Names one generation of a site from a brief.
package struct GenerationID: Identifier {
    package static let prefix = "gen"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
