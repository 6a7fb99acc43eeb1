/// How the addresses that visitors ask for lead to files of a site.
package struct AddressRules: Sendable, Hashable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Every address is a page of its own; for the others there is the page for missing ones, with status 404.
        case pages
        /// An address without a file shows `index.html`, whose script reads the address. Only names with a dot, such as
        /// those of pictures and scripts, can be missing.
        case spa
    }

    /// What a site has until somebody says something else.
    package static let standard = AddressRules(mode: .pages, unchecked: standardMissingPage)
    package static let standardMissingPage = "404.html"

    package let mode: Mode
    /// The path of the page for addresses without one. When a version has none of this name, it is `404.html`, and a
    /// built-in one when there is none of that name either.
    package let missingPage: String

    private init(mode: Mode, unchecked missingPage: String) {
        self.mode = mode
        self.missingPage = missingPage
    }

    /// Refuses paths that no page can have. A slash in front is left out; empty is the standard page.
    package init(mode: Mode = .pages, missingPage: String = standardMissingPage) throws(ServiceError) {
        // What nearly every site has.
        guard missingPage != Self.standardMissingPage else {
            self = Self(mode: mode, unchecked: missingPage)
            return
        }
        let text = missingPage.trimmed
        let relative = text.hasPrefix("/") ? String(text.dropFirst()) : text
        guard !relative.isEmpty else {
            self = Self(mode: mode, unchecked: Self.standardMissingPage)
            return
        }
        guard let path = try? SitePath(relative), path.isHTML, !path.isHidden, relative.utf8.count <= 1024 else {
            throw ServiceError(
                .invalidArgument, "the page for missing addresses must be an HTML file of the site",
                field: "missing_page", rule: "missing-page", nextStep: "Name one of its pages, such as 404.html.")
        }
        self = Self(mode: mode, unchecked: relative)
    }
}
