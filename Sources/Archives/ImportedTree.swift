package import Domain

/// What an archive had for the site.
package struct ImportedTree: Sendable, Equatable {
    /// Sorted, and within all the rules of ``Manifest``.
    package let entries: [Manifest.Entry]
    /// Warnings about what was left out.
    package let findings: [Finding]
    /// The folder that held everything and was taken away, if there was one.
    package let strippedFolder: String?
}
