import Coordinator
import Domain
import Persistence

/// A new site from six questions: the plan is shown, and can be changed, before the rest is made.
struct WizardPages: Sendable {
    private static let styles = [
        "Calm and clear", "Warm and homely", "Bold and colourful", "Elegant and dark", "Playful",
    ]

    let services: WebServices

    var routes: [PageRoute] {
        [
            .get("/sites/new/describe") { .page(Self.page($0)) },
            .post("/sites/new/describe") { visit in
                do {
                    let accepted = try await services.generations.generate(
                        try Self.brief(visit), slug: nil, engine: nil, reviewsPlan: true, for: try visit.principal,
                        once: visit.once { "/sites/\($0.site.site.slug)/making" })
                    return .redirect(to: "/sites/\(accepted.site.site.slug)/making")
                } catch let error as ServiceError where error.code != .internalError {
                    return .page(Self.page(visit, error))
                }
            },
            .get("/sites/{site}/making") { visit in
                let (view, values) = try await making(visit)
                var page = Page(
                    "making", title: "\(view.site.name) is being made", section: .sites,
                    command: "pagewright generate")
                page.values = values
                return .page(page)
            },
            .get("/sites/{site}/making/state") { .part("making-state", try await making($0).values) },
            .post("/sites/{site}/making", input: .form(limit: 256 << 10)) { try await goOn($0) },
        ]
    }

    private static func brief(_ visit: PageVisit) throws -> SiteBrief {
        try SiteBrief(
            businessName: visit.form.text("business_name"), type: visit.form.text("type"),
            description: visit.form.text("description"), goals: [visit.form.text("goals")],
            audience: visit.form["audience"], style: visit.form["style"])
    }

    private static func page(_ visit: PageVisit, _ error: ServiceError? = nil) -> Page {
        var page = Page(
            "wizard", title: "Describe your site", section: .sites, command: "pagewright generate --brief brief.yml")
        let style = visit.form["style"] ?? styles[0]
        page.values = [
            "name": visit.form.text("business_name"), "type": visit.form.text("type"),
            "description": visit.form.text("description"), "audience": visit.form.text("audience"),
            "goal": visit.form.text("goals"),
            "styles": styles.map { ["word": $0, "chosen": $0 == style] as [String: Any] },
        ]
        if let error {
            page.status = error.status
            page.values["error"] = error.banner
            if let field = error.field { page.values["wrong_" + field] = true }
        }
        return page
    }

    /// What a step did, for people.
    private static func words(for step: String) -> String {
        switch step {
        case "plan": "Plan"
        case "copy": "Text:"
        case "design": "Design"
        case "build": "Pages"
        case "checks": "Checks"
        case "repair": "Mended"
        default: step
        }
    }

    /// How far the site is, and what its owner is asked.
    private func making(_ visit: PageVisit) async throws -> (view: SiteView, values: [String: Any]) {
        let principal = try visit.principal
        let view = try await services.sites.find(visit.site, for: principal)
        let made = try await services.generations.find(view.site.id.text, for: principal)
        let path = "/sites/\(view.site.slug)"
        var values: [String: Any] = [
            "name": view.site.name, "path": path, "message": Wording.sentence(made.message),
            "percent": made.generation.progress, "job": "/jobs/\(made.job.job.id)",
            "steps": made.steps.map { ["name": Self.words(for: $0.step.name.rawValue), "page": $0.step.page] },
            "hasSteps": !made.steps.isEmpty,
        ]
        switch made.state {
        case .queued: values["waiting"] = true
        case .working: values["working"] = true
        case .done: values["done"] = true
        case .failed, .cancelled: values["stopped"] = true
        case .waitingForPlan:
            let pages = made.generation.plan?.pages ?? []
            values["plan"] = [
                "count": Wording.count(pages.count, "page"),
                "pages": pages.enumerated().map { index, page in
                    [
                        "title": page.title, "purpose": page.purpose, "name": page.name,
                        "role": page.role.rawValue, "isHome": index == 0, "number": index + 1,
                    ] as [String: Any]
                },
            ]
        }
        return (view, values)
    }

    /// With the plan as it was changed, or from where it stopped.
    private func goOn(_ visit: PageVisit) async throws -> PageAnswer {
        let place = "\(visit.sitePath)/making"
        do {
            let titles = visit.form.all("title")
            if !titles.isEmpty {
                let names = visit.form.all("name")
                let purposes = visit.form.all("purpose")
                let roles = visit.form.all("role")
                guard names.count == titles.count, purposes.count == titles.count, roles.count == titles.count else {
                    throw ServiceError(.invalidArgument, "the plan is not whole", rule: "form-encoding")
                }
                // A page without a title is one that is not wanted.
                let pages = titles.indices.filter { !titles[$0].trimmed.isEmpty }.map { index in
                    PlannedPage(
                        name: names[index], title: titles[index].trimmed, purpose: purposes[index].trimmed,
                        role: PlannedPage.Role(rawValue: roles[index]) ?? .other)
                }
                _ = try await services.generations.changePlan(pages, of: visit.site, for: try visit.principal)
            }
            _ = try await services.generations.resume(
                visit.site, for: try visit.principal, once: visit.once { _ in place })
        } catch let error as ServiceError where error.rule == "generation-state" {
            // The second of two clicks: it goes on already.
        }
        return .redirect(to: place)
    }
}
