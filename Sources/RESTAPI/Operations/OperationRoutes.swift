import HTTPTypes
import Hummingbird
import Telemetry

/// What machines ask: is it alive, is it ready, how is it, what can it do.
struct OperationRoutes {
    let metrics: PrometheusRegistry
    let readiness: @Sendable () async -> [ReadinessCheck]

    private static let feature = "Operations"

    private static let check = ObjectBody<ReadinessCheck>(
        "ReadinessCheck",
        [
            .init("name", .text) { .string($0.name) },
            .init("ready", .boolean) { .boolean($0.isReady) },
            .init("detail", .text) { .string($0.detail) },
        ])

    private static let readinessSchema = JSONSchema.named(
        "Readiness",
        .object([.init("status", .words(["ready", "not-ready"])), .init("checks", .array(check.schema))]))

    var routes: [APIRoute] { [health, ready, metricsText] }

    private var health: APIRoute {
        APIRoute(
            .get, "/healthz", "Whether the program runs", feature: Self.feature, access: .anyone,
            content: .json(.named("Health", .object([.init("status", .words(["ok"]))])))
        ) { _ in .json(["status": "ok"]) }
    }

    private var ready: APIRoute {
        APIRoute(
            .get, "/readyz", "Whether it can do its work", feature: Self.feature, access: .anyone,
            content: .json(Self.readinessSchema),
            otherStatuses: [(.serviceUnavailable, "It cannot; the body is the same.")]
        ) { _ in
            let checks = await readiness()
            let isReady = checks.allSatisfy(\.isReady)
            return .response(
                .json(
                    [
                        "status": isReady ? "ready" : "not-ready",
                        "checks": .array(checks.map(Self.check.json)),
                    ], status: isReady ? .ok : .serviceUnavailable))
        }
    }

    private var metricsText: APIRoute {
        APIRoute(
            .get, "/metrics", "Metrics in the text format of Prometheus", feature: Self.feature, access: .anyone,
            content: .other("text/plain")
        ) { _ in .text(metrics.rendered(), type: PrometheusRegistry.contentType) }
    }
}
