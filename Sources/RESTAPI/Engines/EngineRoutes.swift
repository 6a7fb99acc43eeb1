import Coordinator
import Domain
import HTTPTypes

/// How engines ask their models, for admins. A key goes in and never comes out.
struct EngineRoutes {
    let engines: EngineService

    private static let feature = "Engines"
    private static let path = "/api/v1/admin/engines"

    private static let setting = ObjectBody<EngineSetting>(
        "EngineSetting",
        [
            .init("enabled", .boolean) { .boolean($0.isEnabled) },
            .init("provider", .words(ModelEndpoint.Provider.allCases.map(\.rawValue))) {
                .string($0.provider.rawValue)
            },
            .init("base_url", .text) { .string($0.baseURL) },
            .init("large_model", .text) { .string($0.largeModel) },
            .init("small_model", .nullable(.text), "For small requests; null is the large one.") {
                .optional($0.smallModel) { .string($0) }
            },
            .init("key_hint", .nullable(.text), "The end of the key; null when there is none.") {
                .optional($0.keyHint) { .string($0) }
            },
            .init("answer_timeout_seconds", .count, "How long the model may be silent.") {
                .integer($0.answerTimeout.components.seconds)
            },
            .init("time_limit_seconds", .count, "Of a whole attempt.") { .integer($0.timeLimit.components.seconds) },
            .init("input_price", .count, "Of a million tokens, in millionths of the currency.") {
                .count($0.prices.uncachedInput)
            },
            .init("cached_price", .count) { .count($0.prices.cachedInput) },
            .init("output_price", .count) { .count($0.prices.output) },
            .init("updated_at", .time) { .time($0.updatedAt) },
        ])

    private static let table = ObjectBody<EngineView>(
        "Engine",
        [
            .init("name", .words(EngineName.allCases.map(\.rawValue))) { .string($0.engine.rawValue) },
            .init("asks_model", .boolean) { .boolean($0.engine.asksModel) },
            .init("workers", .count, "How many connected workers can run it.") { .count($0.workers) },
            .init("setting", .nullable(setting.schema), "Null when it is not configured here.") {
                .optional($0.setting, setting.json)
            },
        ])

    private static let probe = ObjectBody<ModelProbeAnswer>(
        "ModelProbe",
        [
            .init("model", .text) { .string($0.model) },
            .init("answers", .boolean) { .boolean($0.isAnswering) },
            .init("message", .text) { .string($0.message) },
            .init("duration_ms", .count) { .integer($0.duration.wholeMilliseconds) },
        ])

    var routes: [APIRoute] { [list, find, change, test] }

    private var list: APIRoute {
        APIRoute(
            .get, Self.path, "All engines and how they ask their models", feature: Self.feature, access: .admin,
            content: .json(Self.table.listSchema)
        ) { request in
            .json(Self.table.json(try await engines.list(for: try request.principal)))
        }
    }

    private var find: APIRoute {
        APIRoute(
            .get, Self.path + "/{engine}", "One engine", feature: Self.feature, access: .admin,
            content: .json(Self.table.schema), errors: [.invalidArgument]
        ) { request in
            .json(Self.table.json(try await engines.find(request.parameter("engine"), for: try request.principal)))
        }
    }

    private var change: APIRoute {
        APIRoute(
            .put, Self.path + "/{engine}", "Set how an engine asks its model; what is left out stays",
            feature: Self.feature, access: .admin,
            input: .json(
                .object([
                    JSONSchema.optional("enabled", .boolean),
                    JSONSchema.optional("provider", .words(ModelEndpoint.Provider.allCases.map(\.rawValue))),
                    JSONSchema.optional("base_url", .text, "Such as https://api.openai.com/v1."),
                    JSONSchema.optional("large_model", .text),
                    JSONSchema.optional(
                        "small_model", .text, "For small requests; empty: the large one does them too."),
                    JSONSchema.optional("key", .text, "Is stored sealed and never shown again; empty takes it away."),
                    JSONSchema.optional("answer_timeout_seconds", .integer(minimum: 5)),
                    JSONSchema.optional("time_limit_seconds", .integer(minimum: 10)),
                    JSONSchema.optional("input_price", .count),
                    JSONSchema.optional("cached_price", .count),
                    JSONSchema.optional("output_price", .count),
                ])), content: .json(Self.table.schema),
            // The request has a secret in it: nothing of it is kept.
            keepsAnswers: false
        ) { request in
            var change = EngineChange()
            change.isEnabled = request.body.optionalBoolean("enabled")
            change.provider = request.body.optionalString("provider")
            change.baseURL = request.body.optionalString("base_url")
            change.largeModel = request.body.optionalString("large_model")
            change.smallModel = request.body.optionalString("small_model")
            change.key = request.body.optionalString("key")
            change.answerTimeoutInSeconds = request.body.optionalInteger("answer_timeout_seconds")
            change.timeLimitInSeconds = request.body.optionalInteger("time_limit_seconds")
            change.inputPrice = request.body.optionalInteger("input_price")
            change.cachedPrice = request.body.optionalInteger("cached_price")
            change.outputPrice = request.body.optionalInteger("output_price")
            return .json(
                Self.table.json(
                    try await engines.change(request.parameter("engine"), change, for: try request.principal)))
        }
    }

    private var test: APIRoute {
        APIRoute(
            .post, Self.path + "/{engine}/test", "Ask the models of an engine for a word each", feature: Self.feature,
            access: .admin, content: .json(Self.probe.listSchema), errors: [.failedPrecondition, .unavailable],
            keepsAnswers: false
        ) { request in
            .json(Self.probe.json(try await engines.test(request.parameter("engine"), for: try request.principal)))
        }
    }
}
