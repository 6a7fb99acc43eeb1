/// What the checks of a site need to know of an HTML page. Depends on its bytes alone.
package struct PageFacts: Codable, Sendable, Equatable {
    package struct Heading: Codable, Sendable, Equatable {
        package let level: Int
        package let text: String

        package init(level: Int, text: String) {
            self.level = level
            self.text = text
        }
    }

    /// Readable; `nil` when there is no title or an empty one.
    package internal(set) var title: String?
    /// The `lang` of the whole page.
    package internal(set) var language: String?
    /// The `href` of `base`, raw.
    package internal(set) var baseAddress: String?
    package internal(set) var headings: [Heading] = []
    /// Each address once, in order; `data:` left out.
    package internal(set) var references: [Reference] = []
    /// What a fragment can point at: `id`, and `name` of `a`; sorted.
    package internal(set) var anchors: [String] = []
    /// The `src` of each image without an `alt`.
    package internal(set) var imagesWithoutAlternative: [String] = []
    package internal(set) var inlineScripts = 0
    /// Where the page loads things from besides its own site, such as `https://cdn.example.com`; sorted.
    package internal(set) var thirdPartyOrigins: [String] = []
    package internal(set) var problems: [HTMLProblem] = []
    package internal(set) var serverCode: [ServerCode] = []
    /// Whether there is nothing to see: no text, no image, no script, no redirect.
    package internal(set) var isEmpty = false

    init() {}
}
