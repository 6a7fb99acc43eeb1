import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import Telemetry

/// All operations of the API, once: the router and the OpenAPI document are both made of it.
struct RouteTable: Sendable {
    let routes: [APIRoute]
    private let stream: EventStream

    init(
        services: RESTServices, settings: RESTSettings, metrics: PrometheusRegistry, clock: any WallClock,
        readiness: @escaping @Sendable () async -> [ReadinessCheck]
    ) {
        let stream = EventStream(
            events: services.events, streams: EventStreamLimit(), metrics: metrics, clock: clock,
            heartbeatInterval: settings.heartbeatInterval)
        self.stream = stream
        let described =
            AccountRoutes(accounts: services.accounts, metrics: metrics).routes
            + ProfileRoutes(accounts: services.accounts).routes
            + UserRoutes(accounts: services.accounts).routes
            + SiteRoutes(sites: services.sites).routes
            + DomainRoutes(sites: services.sites).routes
            + EditRoutes(edits: services.edits, releases: services.releases).routes
            + GenerationRoutes(generations: services.generations).routes
            + ConversationRoutes(conversations: services.conversations).routes
            + LockRoutes(locks: services.locks).routes
            + JobRoutes(
                jobs: services.jobs, acceptance: services.acceptance, comparison: services.comparison,
                edits: services.edits, budgets: services.budgets
            ).routes
            + EngineRoutes(engines: services.engines).routes
            + BudgetRoutes(budgets: services.budgets).routes
            + VersionRoutes(
                versions: services.versions, sites: services.sites, comparison: services.comparison,
                pageChecks: services.pageChecks
            ).routes
            + PageCheckRoutes(
                pageChecks: services.pageChecks, looks: services.pageLooks, acceptance: services.versionAcceptance
            ).routes
            + ReleaseRoutes(releases: services.releases).routes
            + HostRoutes(hosts: services.hosts).routes
            + RolloutRoutes(rollouts: services.rollouts).routes
            + PlacementRoutes(placements: services.placements).routes
            + BackupRoutes(backups: services.backups).routes
            + AuditRoutes(audit: services.audit).routes
            + RecoveryRoutes(recovery: services.recovery, brakes: services.brakes).routes
            + EventRoutes(events: services.events, stream: stream).routes
            + OperationRoutes(metrics: metrics, readiness: readiness).routes
        let document = JSONWriter.bytes(of: OpenAPIDocument(routes: described, version: settings.version).json)
        routes =
            described + [
                APIRoute(
                    .get, "/openapi.json", "This description", feature: "Operations", access: .anyone,
                    content: .other("application/json")
                ) { _ in .response(.bytes(document, type: "application/json", status: .ok)) }
            ]
    }

    func router(
        services: RESTServices, settings: RESTSettings, metrics: PrometheusRegistry, pages: RESTServer.Pages?
    ) -> Router<RESTRequestContext> {
        let router = Router(context: RESTRequestContext.self)
        router.add(middleware: RequestIDMiddleware())
        router.add(
            middleware: AccessMiddleware(
                metrics: RequestMetrics(metrics), trustsForwardedFor: settings.trustsForwardedFor))
        router.add(middleware: SecurityHeadersMiddleware())
        if let pages { router.add(middleware: PagesMiddleware(routes: routes, stream: stream, pages: pages)) }
        router.add(middleware: ProblemMiddleware(routes: routes))
        let uploads = UploadStore(folder: settings.uploadFolder, limitInBytes: settings.uploadLimitInBytes)
        for route in routes {
            let endpoint = APIEndpoint(
                route: route, accounts: services.accounts, idempotency: services.idempotency, uploads: uploads,
                recovery: services.recovery)
            router.on(RouterPath(route.routerPath), method: route.method, responder: endpoint)
            if route.method == .get {
                router.on(RouterPath(route.routerPath), method: .head, responder: HeadEndpoint(endpoint: endpoint))
            }
        }
        return router
    }
}
