/// An address in a page or a style sheet, as it is written there.
package struct Reference: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Sendable {
        /// Somewhere that a visitor can go: links, areas, forms, redirects.
        case link
        /// Something that the page shows or runs: images, scripts, style sheets, fonts, media, frames.
        case asset
    }

    package let kind: Kind
    /// Entities decoded, otherwise raw.
    package let value: String

    package init(kind: Kind, value: String) {
        self.kind = kind
        self.value = value
    }
}
