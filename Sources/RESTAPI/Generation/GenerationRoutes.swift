import Coordinator
import Domain
import HTTPTypes

struct GenerationRoutes {
    let generations: GenerationService

    private static let feature = "Generation"
    private static let path = "/api/v1/sites/{site}/generation"
    private static let accepted = JSONSchema.named(
        "AcceptedBrief",
        .object([
            .init("job_id", .text), .init("status", .words(["queued"])), .init("site", SiteBody.table.schema),
            .init("generation", GenerationBody.table.schema),
        ]))

    var routes: [APIRoute] { [generate, find, changePlan, resume] }

    private var generate: APIRoute {
        APIRoute(
            .post, "/api/v1/sites/generate", "Make a site from a brief; it becomes a job", feature: Self.feature,
            input: .json(
                .object([
                    .init("business_name", .text, "1 to 80 characters."),
                    .init("type", .text, "What it is, such as bakery or football club: 1 to 60 characters."),
                    .init("description", .text, "1 to 4,000 characters."),
                    .init("goals", .oneOrMany(.text), "What visitors should do: 1 to 6 of 1 to 200 characters."),
                    JSONSchema.optional("audience", .text, "At most 300 characters."),
                    JSONSchema.optional("style", .text, "Such as warm and modern: at most 300 characters."),
                    JSONSchema.optional(
                        "languages", .array(.words(SiteLanguage.allCases.map(\.rawValue))),
                        "The first is that of the home page; when left out, that of the description."),
                    JSONSchema.optional("pages", .array(.text), "Pages besides the home page; at most 11."),
                    JSONSchema.optional("slug", .text, "When left out, one that fits the name and is free."),
                    JSONSchema.optional(
                        "engine", .words(EngineName.allCases.map(\.rawValue))),
                    JSONSchema.optional("review_plan", .boolean, "Stop after the plan, until you continue."),
                ]), limit: 256 << 10), status: .accepted, content: .json(Self.accepted),
            errors: [.alreadyExists, .storageFull]
        ) { request in
            let body = request.body
            let brief = try SiteBrief(
                businessName: body.string("business_name"), type: body.string("type"),
                description: body.string("description"), goals: body.strings("goals"),
                audience: body.optionalString("audience"), style: body.optionalString("style"),
                languages: body.strings("languages"), pages: body.strings("pages"))
            return try await request.once(Self.json) {
                try await generations.generate(
                    brief, slug: body.optionalString("slug"), engine: body.optionalString("engine"),
                    reviewsPlan: body.optionalBoolean("review_plan") ?? false, for: try request.principal, once: $0)
            }
        }
    }

    private static func json(_ accepted: GenerationService.Accepted) -> JSONValue {
        [
            "job_id": .string(accepted.generation.generation.job.text), "status": "queued",
            "site": SiteBody.table.json(accepted.site), "generation": GenerationBody.table.json(accepted.generation),
        ]
    }

    private var find: APIRoute {
        APIRoute(
            .get, Self.path, "How the making of a site from a brief goes, with its plan and steps",
            feature: Self.feature, content: .json(GenerationBody.table.schema), errors: [.notFound]
        ) { request in
            .json(
                GenerationBody.table.json(
                    try await generations.find(request.parameter("site"), for: try request.principal)))
        }
    }

    private var changePlan: APIRoute {
        APIRoute(
            .put, Self.path + "/plan", "Change the plan that waits for you", feature: Self.feature,
            input: .json(
                .object([
                    .init(
                        "pages",
                        .array(
                            .object([
                                JSONSchema.optional(
                                    "name", .text, "The name of its file; when left out, it is made from the title."),
                                .init("title", .text, "1 to 40 characters."),
                                JSONSchema.optional("purpose", .text, "At most 300 characters."),
                                JSONSchema.optional("role", .words(PlannedPage.Role.allCases.map(\.rawValue))),
                            ])), "1 to 12 pages; the first is the home page, named index.")
                ])), content: .json(GenerationBody.table.schema), errors: [.notFound, .conflict]
        ) { request in
            let pages = try request.body.objects("pages").enumerated().map { index, page in
                try Self.page(page, at: index)
            }
            return try await request.once(GenerationBody.table.json) {
                try await generations.changePlan(
                    pages, of: request.parameter("site"), for: try request.principal, once: $0)
            }
        }
    }

    private static func page(_ body: JSONBody, at index: Int) throws(ServiceError) -> PlannedPage {
        let title = body.string("title")
        let name = body.optionalString("name") ?? (index == 0 ? PlannedPage.homeName : PlannedPage.name(for: title))
        var role = index == 0 ? PlannedPage.Role.home : .other
        if let text = body.optionalString("role") {
            guard let known = PlannedPage.Role(rawValue: text) else {
                throw ServiceError(
                    .invalidArgument, "a page has no role \"\(text.prefix(40))\"", field: "pages[\(index)].role",
                    rule: "plan-role",
                    nextStep: "Choose one of: \(PlannedPage.Role.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            role = known
        }
        return PlannedPage(name: name, title: title, purpose: body.optionalString("purpose") ?? "", role: role)
    }

    private var resume: APIRoute {
        APIRoute(
            .post, Self.path + "/continue", "Go on: with the plan as it is, or after a failure from what was done",
            feature: Self.feature, status: .accepted, content: .json(GenerationBody.table.schema),
            errors: [.notFound, .conflict, .failedPrecondition]
        ) { request in
            try await request.once(GenerationBody.table.json) {
                try await generations.resume(request.parameter("site"), for: try request.principal, once: $0)
            }
        }
    }
}
