import Coordinator
import Domain
import HTTPTypes
import Persistence

struct AuditRoutes {
    let audit: AuditService

    private static let feature = "Audit"

    var routes: [APIRoute] { [list, head] }

    private var list: APIRoute {
        APIRoute(
            .get, "/api/v1/audit", "Everything that was done, newest first", feature: Self.feature, access: .admin,
            query: [
                .init(name: "site", schema: .text, description: "Only of the site with this id."),
                .init(name: "actor", schema: .text, description: "Only by this user, host, operator or system."),
                .init(name: "action", schema: .text, description: "Only this, such as site.created."),
                .init(
                    name: "order", schema: .words(["newest", "oldest"]),
                    description: "Which row comes first; newest when left out."),
            ] + .paging, content: .json(AuditBody.table.pageSchema)
        ) { request in
            let order = request.query["order"] ?? "newest"
            guard ["newest", "oldest"].contains(order) else {
                throw ServiceError(
                    .invalidArgument, "order must be newest or oldest", field: "order", rule: "parameter-type")
            }
            let page = try await audit.list(
                AuditStore.Filter(
                    site: request.query["site"], actor: request.query["actor"], action: request.query["action"]),
                oldestFirst: order == "oldest", page: try request.page(), for: try request.principal)
            return .json(AuditBody.table.json(page))
        }
    }

    private var head: APIRoute {
        APIRoute(
            .get, "/api/v1/audit/head", "The end of the chain; remember it to find out later that rows were cut off",
            feature: Self.feature, access: .admin, content: .json(AuditBody.head.schema)
        ) { request in
            .json(AuditBody.head.json(try await audit.head(for: try request.principal)))
        }
    }
}
