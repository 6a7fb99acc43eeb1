import Coordinator
import Domain
import HTTPTypes

enum ConversationBody {
    static let table = ObjectBody<Conversation>(
        "Conversation",
        [
            .init("id", .text) { .string($0.id.text) },
            .init("site_id", .text) { .string($0.site.text) },
            .init("title", .text) { .string($0.title) },
            .init("started_by", .text) { .string($0.startedBy.text) },
            .init("created_at", .time) { .time($0.createdAt) },
        ])
}

struct ConversationRoutes {
    let conversations: ConversationService

    private static let feature = "Edits"
    private static let path = "/api/v1/sites/{site}/conversations"

    var routes: [APIRoute] { [list, start, turns] }

    private var list: APIRoute {
        APIRoute(
            .get, Self.path, "The conversations about a site, newest first; edits go to the newest",
            feature: Self.feature, query: .paging, content: .json(ConversationBody.table.pageSchema),
            errors: [.notFound]
        ) { request in
            let page = try await conversations.list(
                of: request.parameter("site"), page: try request.page(), for: try request.principal)
            return .json(ConversationBody.table.json(page))
        }
    }

    private var start: APIRoute {
        APIRoute(
            .post, Self.path, "Begin a conversation that knows nothing of those before", feature: Self.feature,
            input: .json(.object([JSONSchema.optional("title", .text)])), status: .created,
            content: .json(ConversationBody.table.schema), errors: [.notFound]
        ) { request in
            try await request.once(ConversationBody.table.json) {
                try await conversations.start(
                    title: request.body.optionalString("title"), on: request.parameter("site"),
                    for: try request.principal, once: $0)
            }
        }
    }

    private var turns: APIRoute {
        APIRoute(
            .get, Self.path + "/{conversation}/turns", "What was asked and what came of it, newest first",
            feature: Self.feature, query: .paging, content: .json(JobBody.table.pageSchema), errors: [.notFound]
        ) { request in
            let page = try await conversations.turns(
                try request.identifier("conversation"), of: request.parameter("site"), page: try request.page(),
                for: try request.principal)
            return .json(JobBody.table.json(page))
        }
    }
}
