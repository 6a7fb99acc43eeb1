import Coordinator
import Domain

/// A new site from six questions: the plan is shown before anything is made.
struct WizardPages: Sendable {
    private static let styles = [
        "Calm and clear", "Warm and homely", "Bold and colourful", "Elegant and dark", "Playful",
    ]
    private static let languages = ["English", "Deutsch", "Français", "Español", "Italiano", "Polski", "Türkçe"]

    let services: WebServices

    var routes: [PageRoute] {
        guard let generation = services.generation else { return [] }
        return [
            .get("/sites/new/describe") { .page(Self.page($0)) },
            .post("/sites/new/describe") { visit in
                do {
                    let brief = try Self.brief(visit)
                    guard visit.form["planned"] != nil, visit.form["change"] == nil else {
                        return .page(
                            Self.page(
                                visit,
                                plan: visit.form["change"] == nil
                                    ? try await generation.plan(brief, try visit.principal) : nil))
                    }
                    let job = try await generation.start(brief, try visit.principal)
                    return .redirect(to: "/jobs/\(job)")
                } catch let error as ServiceError where error.code != .internalError {
                    return .page(Self.page(visit, error))
                }
            },
        ]
    }

    private static func brief(_ visit: PageVisit) throws -> SiteBrief {
        func answer(_ name: String, isNeeded: Bool = true) throws -> String {
            let text = visit.form.text(name)
            guard !isNeeded || !text.isEmpty, text.count <= 1000 else {
                throw ServiceError(
                    .invalidArgument, text.isEmpty ? "a question has no answer" : "an answer is too long", field: name,
                    rule: "brief", nextStep: "Say it in one to a few sentences.")
            }
            return text
        }
        let name = try Site.validName(visit.form.text("name"))
        let slug = visit.form.text("slug")
        return SiteBrief(
            name: name, slug: try Slug(slug.isEmpty ? Self.slug(of: name) : slug).text,
            occupation: try answer("occupation"), audience: try answer("audience", isNeeded: false),
            goal: try answer("goal"), style: try answer("style", isNeeded: false),
            language: try answer("language", isNeeded: false))
    }

    /// The small letters and digits of a name, with hyphens between its words.
    static func slug(of name: String) -> String {
        let words = name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        return String(words.joined(separator: "-").prefix(40)).trimmingHyphens
    }

    private static func page(
        _ visit: PageVisit, _ error: ServiceError? = nil, plan: [SiteGeneration.PlannedPage]? = nil
    ) -> Page {
        var page = Page(
            "wizard", title: "Describe your site", section: .sites, command: "pagewright generate --brief brief.yml")
        let style = visit.form["style"] ?? styles[0]
        let language = visit.form["language"] ?? languages[0]
        page.values = [
            "name": visit.form.text("name"), "slug": visit.form.text("slug"),
            "occupation": visit.form.text("occupation"), "audience": visit.form.text("audience"),
            "goal": visit.form.text("goal"), "style": style, "language": language,
            "styles": styles.map { ["word": $0, "chosen": $0 == style] as [String: Any] },
            "languages": languages.map { ["word": $0, "chosen": $0 == language] as [String: Any] },
            "isAsking": plan == nil,
        ]
        if let plan {
            page.values["plan"] = [
                "pages": plan.map { ["title": $0.title, "content": $0.content] },
                "count": Wording.count(plan.count, "page"),
            ]
        }
        if let error {
            page.status = error.status
            page.values["error"] = error.banner
            if let field = error.field { page.values["wrong_" + field] = true }
        }
        return page
    }
}

extension String {
    fileprivate var trimmingHyphens: String {
        var view = self[...]
        while view.hasPrefix("-") { view = view.dropFirst() }
        while view.hasSuffix("-") { view = view.dropLast() }
        return String(view)
    }
}
