import Coordinator
import Domain
import HTTPTypes

enum LedgerBody {
    static let table = ObjectBody<LedgerEntry>(
        "LedgerEntry",
        [
            .init("attempt", .count) { .count($0.attempt) },
            .init("engine", .text) { .string($0.engine.rawValue) },
            .init("model", .text) { .string($0.model) },
            .init("uncached_input_tokens", .count) { .count($0.usage.uncachedInput) },
            .init("cached_input_tokens", .count) { .count($0.usage.cachedInput) },
            .init("output_tokens", .count) { .count($0.usage.output) },
            .init("money", .count, "In millionths of the currency.") { .count($0.money) },
            .init("seconds", .count) { .count($0.seconds) },
            .init("charged", .boolean, "Whether it counts against budgets; a failure does not.") {
                .boolean($0.isCharged)
            },
            .init("from_cache", .boolean) { .boolean($0.isFromCache) },
            .init("at", .time) { .time($0.at) },
        ])
}

/// What AI work may cost, and what it did cost.
struct BudgetRoutes {
    let budgets: BudgetService

    private static let feature = "Engines"
    private static let path = "/api/v1/admin/budgets"

    private static let table = ObjectBody<Budget>(
        "Budget",
        [
            .init(
                "scope", .words(Budget.Scope.allCases.map(\.rawValue)),
                "One edit, a site in 30 days, an owner in a day."
            ) {
                .string($0.scope.rawValue)
            },
            .init("tokens", .nullable(.count)) { .optional($0.tokens) { .count($0) } },
            .init("money", .nullable(.count), "In millionths of the currency.") { .optional($0.money) { .count($0) } },
            .init("minutes", .nullable(.count)) { .optional($0.minutes) { .count($0) } },
        ])

    private static let view = ObjectBody<BudgetView>(
        "BudgetUse",
        [
            .init("budget", table.schema) { table.json($0.budget) },
            .init("spent_tokens", .count) { .count($0.spent.tokens) },
            .init("spent_money", .count) { .count($0.spent.money) },
            .init("spent_seconds", .count) { .count($0.spent.seconds) },
        ])

    var routes: [APIRoute] { [list, set, show] }

    private var list: APIRoute {
        APIRoute(
            .get, Self.path, "What AI work may cost here", feature: Self.feature, access: .admin,
            content: .json(Self.table.listSchema)
        ) { request in
            .json(Self.table.json(try await budgets.list(for: try request.principal)))
        }
    }

    private var set: APIRoute {
        APIRoute(
            .put, Self.path + "/{scope}", "Set what AI work may cost; what is left out has no limit",
            feature: Self.feature, access: .admin,
            input: .json(
                .object([
                    JSONSchema.optional("tokens", .count),
                    JSONSchema.optional("money", .count, "In millionths of the currency."),
                    JSONSchema.optional("minutes", .count),
                ])), content: .json(Self.table.schema), errors: [.notFound], keepsAnswers: false
        ) { request in
            .json(
                Self.table.json(
                    try await budgets.set(
                        request.parameter("scope"), tokens: request.body.optionalInteger("tokens"),
                        money: request.body.optionalInteger("money"), minutes: request.body.optionalInteger("minutes"),
                        for: try request.principal)))
        }
    }

    private var show: APIRoute {
        APIRoute(
            .get, "/api/v1/sites/{site}/budget", "What is used of the budgets of a site and of the day",
            feature: Self.feature, content: .json(Self.view.listSchema), errors: [.notFound]
        ) { request in
            .json(
                Self.view.json(
                    try await budgets.show(site: request.parameter("site"), for: try request.principal)))
        }
    }
}
