package import Coordinator
package import Domain
import Hummingbird
package import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle
package import Telemetry

/// The HTTP side of the coordinator.
package struct RESTServer: Service {
    /// Sends what happens after an event's number, as it happens, to somebody who is logged in.
    package typealias Events =
        @Sendable (_ request: Request, _ caller: AuthenticatedCaller, _ after: Int64) throws ->
        Response
    /// Answers every address that is not the API's, and says which route did. It shows errors in its own way.
    package typealias Pages =
        @Sendable (
            _ request: Request, _ requestID: String, _ address: ClientAddress, _ logger: Logger, _ events: Events
        ) async -> (response: Response, route: String)

    private let services: RESTServices
    private let settings: RESTSettings
    private let metrics: PrometheusRegistry
    private let clock: any WallClock
    private let logger: Logger
    private let readiness: @Sendable () async -> [ReadinessCheck]
    private let pages: Pages?
    private let onRunning: @Sendable (_ port: Int) async -> Void

    /// `onRunning` is called with the port once the server accepts connections.
    package init(
        services: RESTServices, settings: RESTSettings, metrics: PrometheusRegistry, clock: any WallClock,
        logger: Logger, readiness: @escaping @Sendable () async -> [ReadinessCheck], pages: Pages? = nil,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.services = services
        self.settings = settings
        self.metrics = metrics
        self.clock = clock
        self.logger = logger
        self.readiness = readiness
        self.pages = pages
        self.onRunning = onRunning
    }

    /// Serves until a graceful shutdown; requests that were begun are finished, event streams end.
    package func run() async throws {
        try await UploadStore(folder: settings.uploadFolder, limitInBytes: settings.uploadLimitInBytes)
            .removeLeftovers()
        try await application.run()
    }

    var table: RouteTable {
        RouteTable(services: services, settings: settings, metrics: metrics, clock: clock, readiness: readiness)
    }

    var application: some ApplicationProtocol {
        Application(
            router: table.router(services: services, settings: settings, metrics: metrics, pages: pages),
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [HeadAnswerHandler()],
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.address, port: settings.port),
                availableConnectionsDelegate: MaximumAvailableConnections(settings.maximumConnections)),
            onServerRunning: { [logger, onRunning] channel in
                let port = channel.localAddress?.port ?? 0
                logger.notice("Serving the API", metadata: ["http.port": "\(port)"])
                await onRunning(port)
            }, logger: logger)
    }
}
