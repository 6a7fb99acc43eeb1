import Coordinator
import Domain
import HTTPTypes

struct EditRoutes {
    let edits: EditService

    private static let feature = "Edits"
    private static let path = "/api/v1/sites/{site}/edits"
    /// 20,000 characters, each of several code points and each of those escaped, fit in.
    private static let promptLimit = 1 << 20
    private static let accepted = JSONSchema.named(
        "AcceptedEdit", .object([.init("edit", EditBody.table.schema), .init("job", JobBody.table.schema)]))

    var routes: [APIRoute] { [submit, list] }

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
                        "fresh", .boolean, "Ask the model even when it gave an answer to the same before."),
                ]), limit: Self.promptLimit), status: .accepted, content: .json(Self.accepted),
            errors: [.notFound, .failedPrecondition, .quotaExceeded]
        ) { request in
            try await request.once({ ["edit": EditBody.table.json($0.edit), "job": JobBody.table.json($0.job)] }) {
                try await edits.submit(
                    prompt: request.body.string("prompt"), engine: request.body.optionalString("engine"),
                    baseVersion: request.body.optionalInteger("base_version"),
                    isFresh: request.body.optionalBoolean("fresh") ?? false, to: request.parameter("site"),
                    for: try request.principal, once: $0)
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
