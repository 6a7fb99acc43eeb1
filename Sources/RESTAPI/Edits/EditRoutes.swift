import Coordinator
import Domain
import HTTPTypes

struct EditRoutes {
    let edits: EditService
    let releases: ReleaseService

    private static let feature = "Edits"
    private static let path = "/api/v1/sites/{site}/edits"
    /// 20,000 characters, each of several code points and each of those escaped, fit in.
    private static let promptLimit = 1 << 20
    private static let one = [
        JSONSchema.Property("edit", EditBody.table.schema), JSONSchema.Property("job", JobBody.table.schema),
    ]
    private static let accepted = JSONSchema.named(
        "AcceptedEdit",
        .object(
            one + [
                .init(
                    "variants", .array(.named("AcceptedVariant", .object(one))),
                    "All tries, when there are several; the first one is the edit itself.")
            ]))

    var routes: [APIRoute] { [submit, list, run, pick] }

    private static func json(_ accepted: [(edit: Edit, job: JobView)]) -> JSONValue {
        let all = accepted.map { one -> JSONValue in
            ["edit": EditBody.table.json(one.edit), "job": JobBody.table.json(one.job)]
        }
        return [
            "edit": all[0]["edit"] ?? .null, "job": all[0]["job"] ?? .null,
            "variants": .array(all.count > 1 ? all : []),
        ]
    }

    private var submit: APIRoute {
        APIRoute(
            .post, Self.path, "Ask for a change in words; it becomes a job", feature: Self.feature,
            input: .json(
                .object([
                    .init("prompt", .text, "1 to 20,000 characters."),
                    JSONSchema.optional("engine", .words(EngineName.allCases.map(\.rawValue))),
                    JSONSchema.optional(
                        "base_version", .version, "What to start from; otherwise what the preview shows then."),
                    JSONSchema.optional(
                        "mode", .words(EditMode.allCases.map(\.rawValue)),
                        "plan: answer what would be done, and change nothing."),
                    JSONSchema.optional(
                        "conversation_id", .text, "What it belongs to; otherwise the site's newest conversation."),
                    JSONSchema.optional(
                        "variants", .integer(minimum: 1), "How many versions to try side by side, 1 to 3."),
                    JSONSchema.optional(
                        "fresh", .boolean, "Ask the model even when it gave an answer to the same before."),
                ]), limit: Self.promptLimit), status: .accepted, content: .json(Self.accepted),
            errors: [.notFound, .failedPrecondition, .quotaExceeded]
        ) { request in
            let mode = request.body.optionalString("mode")
            if let variants = request.body.optionalInteger("variants"), variants != 1 {
                guard mode == nil || mode == EditMode.change.rawValue else {
                    throw ServiceError(
                        .invalidArgument, "a plan is made once", field: "variants", rule: "variants-number")
                }
                return try await request.once(Self.json) {
                    try await edits.tryVariants(
                        variants, prompt: request.body.string("prompt"), engine: request.body.optionalString("engine"),
                        baseVersion: request.body.optionalInteger("base_version"),
                        conversation: request.body.optionalString("conversation_id"), to: request.parameter("site"),
                        for: try request.principal, once: $0)
                }
            }
            return try await request.once({ Self.json([$0]) }) {
                try await edits.submit(
                    prompt: request.body.string("prompt"), engine: request.body.optionalString("engine"),
                    baseVersion: request.body.optionalInteger("base_version"), mode: mode,
                    conversation: request.body.optionalString("conversation_id"),
                    isFresh: request.body.optionalBoolean("fresh") ?? false, to: request.parameter("site"),
                    for: try request.principal, once: $0)
            }
        }
    }

    private var run: APIRoute {
        APIRoute(
            .post, Self.path + "/{edit}/run", "Carry out an answered plan", feature: Self.feature, status: .accepted,
            content: .json(Self.accepted), errors: [.notFound, .failedPrecondition, .quotaExceeded]
        ) { request in
            try await request.once({ Self.json([$0]) }) {
                try await edits.run(
                    plan: try request.identifier("edit"), of: request.parameter("site"), for: try request.principal,
                    once: $0)
            }
        }
    }

    private var pick: APIRoute {
        APIRoute(
            .post, Self.path + "/{edit}/pick", "Show in the preview what one of several tries made",
            feature: Self.feature, content: .json(SiteBody.table.schema), errors: [.notFound, .failedPrecondition]
        ) { request in
            try await request.once(SiteBody.table.json) {
                try await releases.pick(
                    try request.identifier("edit"), on: request.parameter("site"), for: try request.principal, once: $0)
            }
        }
    }

    private var list: APIRoute {
        APIRoute(
            .get, Self.path, "What was asked for, newest first", feature: Self.feature, query: .paging,
            content: .json(EditBody.table.pageSchema), errors: [.notFound]
        ) { request in
            let page = try await edits.list(
                of: request.parameter("site"), page: try request.page(), for: try request.principal)
            return .json(EditBody.table.json(page))
        }
    }
}
