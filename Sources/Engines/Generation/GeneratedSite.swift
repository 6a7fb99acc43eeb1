package import Domain

/// The files of a generated site: plain HTML, one stylesheet and a few drawings.
package struct GeneratedSite: Sendable, Equatable {
    package struct File: Sendable, Equatable {
        package let path: String
        package let bytes: [UInt8]
    }

    /// A page of the plan in one language, and where its file lies.
    package struct Place: Sendable, Equatable {
        package let page: PlannedPage
        package let language: SiteLanguage
        /// `menu` in the first language, `de/menu` in others.
        package let key: String
        package var path: String { key + ".html" }
    }

    package let files: [File]
    package let places: [Place]
    package let copies: [String: PageCopy]
    /// What only the owner knows, as things to do.
    package let suggestions: [String]

    package static func places(of plan: Sitemap, in languages: [SiteLanguage]) -> [Place] {
        languages.enumerated().flatMap { index, language in
            plan.pages.map { page in
                Place(
                    page: page, language: language,
                    key: index == 0 ? page.name : "\(language.rawValue)/\(page.name)")
            }
        }
    }

    /// - Throws: when a page has no words.
    init(brief: SiteBrief, plan: Sitemap, copies: [String: PageCopy], design: SiteDesign) throws {
        places = Self.places(of: plan, in: brief.languages)
        self.copies = copies
        var files: [File] = []
        for place in places {
            guard let copy = copies[place.key] else {
                throw SiteGenerator.UselessAnswer(step: .copy, page: place.key, problems: ["there are no words"])
            }
            let page = PageBuilder(brief: brief, places: places, copies: copies, design: design, place: place)
            files.append(File(path: place.path, bytes: Array(page.document(copy).utf8)))
        }
        let notFound = NotFoundBuilder(brief: brief, places: places, copies: copies, design: design)
        files.append(File(path: "404.html", bytes: Array(notFound.document.utf8)))
        files.append(File(path: "styles.css", bytes: Array(Stylesheet(design).text.utf8)))
        let art = Artwork(design: design, seed: StableHash(brief.businessName).value)
        files.append(File(path: "images/hero.svg", bytes: Array(art.hero.utf8)))
        files.append(File(path: "images/band.svg", bytes: Array(art.band.utf8)))
        files.append(File(path: "favicon.svg", bytes: Array(art.icon(letter: brief.businessName).utf8)))
        self.files = files.sorted { $0.path < $1.path }
        suggestions = Suggestions.list(brief: brief, plan: plan)
    }
}
