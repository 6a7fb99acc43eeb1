/// A complete site that a new one can start from.
package struct SiteTemplate: Sendable {
    /// What the API calls it, such as `bakery`; also the name of its folder.
    package let name: String
    package let title: String
    package let description: String
    /// Sorted by path, relative to the site, such as `images/loaf.svg`.
    package let files: [(path: String, bytes: [UInt8])]

    package init(name: String, title: String, description: String, files: [(path: String, bytes: [UInt8])]) {
        self.name = name
        self.title = title
        self.description = description
        self.files = files
    }
}
