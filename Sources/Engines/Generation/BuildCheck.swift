import Domain
import Markup

/// Something that is wrong with a page that was built.
struct BuildProblem: Codable, Equatable, Sendable {
    /// The page's key, such as `menu`; empty for the whole site.
    let page: String
    /// Stable, such as `title-length`.
    let rule: String
    let message: String
}

/// Looks at a generated site before anybody else does.
enum BuildCheck {
    /// Of a page with its stylesheet and its pictures, in bytes.
    static let weightLimit = 60 << 10

    static func problems(of site: GeneratedSite, design: SiteDesign) -> [BuildProblem] {
        var problems = design.problems.map { BuildProblem(page: "", rule: "design", message: $0) }
        let paths = Set(site.files.map(\.path))
        let sizes = Dictionary(site.files.map { ($0.path, $0.bytes.count) }, uniquingKeysWith: { $1 })
        for place in site.places {
            guard let file = site.files.first(where: { $0.path == place.path }) else {
                problems.append(BuildProblem(page: place.key, rule: "page-missing", message: "the page was not built"))
                continue
            }
            func add(_ rule: String, _ message: String) {
                problems.append(BuildProblem(page: place.key, rule: rule, message: message))
            }
            guard let document = try? HTMLDocument(parsing: file.bytes) else {
                add("html-unreadable", "the page cannot be read as HTML")
                continue
            }
            let facts = PageFacts(of: document)
            for problem in facts.problems {
                add("html-\(problem.kind.rawValue)", "line \(problem.line): <\(problem.name)>")
            }
            if !(1...PageCopy.titleLimit).contains(facts.title?.count ?? 0) {
                add("title-length", "the title must have 1 to \(PageCopy.titleLimit) characters")
            }
            if facts.headings.filter({ $0.level == 1 }).count != 1 {
                add("heading-one", "there must be one main heading")
            }
            var level = 0
            for heading in facts.headings {
                if heading.level > level + 1 {
                    add("heading-order", "the heading \"\(heading.text.prefix(60))\" skips a level")
                }
                level = heading.level
            }
            if facts.language == nil { add("language", "the page does not say its language") }
            if facts.isEmpty { add("page-empty", "there is nothing to see") }
            for image in facts.imagesWithoutAlternative { add("image-alt", "the image \(image) has no description") }
            var loaded = sizes[place.path] ?? 0
            for reference in facts.references {
                guard case .inside(let target, _) = SiteAddress(reference.value, in: place.path) else { continue }
                let file = target.isEmpty ? "index.html" : target
                if !paths.contains(file) { add("link-broken", "\"\(reference.value)\" leads nowhere") }
                if reference.kind == .asset { loaded += sizes[file] ?? 0 }
            }
            if loaded > weightLimit {
                add("weight", "the page weighs \(loaded >> 10) KiB, and \(weightLimit >> 10) are allowed")
            }
            for origin in facts.thirdPartyOrigins { add("foreign", "the page loads from \(origin)") }
        }
        return problems
    }
}
