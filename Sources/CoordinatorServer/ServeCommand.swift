import AgentGateway
import ArgumentParser
import Coordinator
import Domain
import FleetIdentity
import Logging
import Metrics
import RESTAPI
import ServiceLifecycle
import Systemd
import Telemetry
import UnixSignals
import WebUI

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves the REST API and the agents, until SIGTERM or Ctrl-C.",
        discussion: """
            Prints one line of JSON on standard output when both ports are open; the log goes to standard error. Ends with
            78 when the configuration makes no sense, and with 1 when something else keeps it from starting.

            Example: pagewright-coordinator serve --state /var/lib/pagewright --sites-domain sites.example.org
            """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var blobs: BlobOptions
    @Flag(help: "Let hosts read content from S3 themselves, by signed addresses; see docs/blobs.md.")
    var s3Presigned = false
    @OptionGroup var operations: OperationOptions
    @Option(help: "How often unused blobs are deleted, such as 24h; 0 is never. (default: 24h)")
    var collectionEvery: String?
    @Option(help: "How old an unused blob must be before it is deleted, such as 7d or 30m. (default: 7d)")
    var collectionGrace: String?
    @Option(help: "The address to listen on. (default: 127.0.0.1)")
    var listen: String?
    @Option(help: "The port of the REST API; 0 picks a free one. (default: 8085)")
    var port: String?
    @Option(help: "The port for agents; 0 picks a free one. (default: 8443)")
    var agentsPort: String?
    @Option(help: "Where agents reach this coordinator, host:port; for the commands that it prints.")
    var agentsAddress: String?
    @Option(help: "Sites answer at <slug>.<sites domain>. (default: localhost)")
    var sitesDomain: String?
    @Option(help: "The port in the addresses of sites. (default: 8080)")
    var sitesPort: String?
    @Flag(help: "Believe the proxy in front, which says in X-Forwarded-For who asks.")
    var trustForwardedFor = false
    @Option(help: "The least that is logged: debug, info, notice, warning or error. (default: notice)")
    var logLevel: String?
    @Option(help: "How the log looks: logfmt or json. (default: logfmt)")
    var logFormat: String?

    @Option(help: "Redis, for several coordinators: redis://host:6379/0 and others; see docs/scaling.md.")
    var redis: String?

    private var flags: [Setting: String?] {
        [
            .listen: listen, .port: port, .agentsPort: agentsPort, .agentsAddress: agentsAddress,
            .sitesDomain: sitesDomain, .sitesPort: sitesPort, .logLevel: logLevel, .logFormat: logFormat,
            .redis: redis, .trustForwardedFor: trustForwardedFor ? "true" : nil, .collectionEvery: collectionEvery,
            .collectionGrace: collectionGrace, .s3Presigned: s3Presigned ? "true" : nil,
        ].merging(blobs.flags) { _, flag in flag }.merging(operations.flags) { _, flag in flag }
    }

    func run() async throws {
        try await reporting {
            let serve = try await reporting(as: .configuration) {
                let settings = try ServeSettings(options.source(flags))
                try settings.blobs.examine()
                return settings
            }
            let registry = PrometheusRegistry()
            registry.begin()
            MetricsSystem.bootstrap(registry)
            StandardErrorLogHandler.bootstrap(level: serve.logLevel, format: serve.logFormat)
            let logger = Logger(label: "pagewright.coordinator")
            var settings = CoordinatorSettings(
                sitesDomain: serve.sitesDomain, sitesPort: serve.sitesPort, agentsAddress: serve.agentsAddress,
                version: ProgramVersion.text)
            settings.placement = serve.placement
            settings.undoesLocalRollbacks = serve.undoesLocalRollbacks
            let hints =
                if let redis = serve.redis { try Hints.redis(redis, logger: logger) } else { Hints.embedded() }
            try await hints.requireAdmission()
            let core = try await CoordinatorCore.open(
                serve.folder, database: serve.database, settings: settings, hints: hints, blobs: serve.blobs,
                logger: logger)
            try await core.requireBlobs()
            try await core.services.recovery.examine()
            try await core.services.desiredState.noteNames()
            let notice = ServiceNotice.fromEnvironment()
            let farewell = ShutdownNotice(period: serve.shutdownNotice)
            let ready = ReadyLine(host: serve.listen, notice: notice)
            let gateway = AgentGatewayServer(
                host: serve.listen, port: serve.agentsPort,
                credential: try core.authority.issueServerCertificate(names: [serve.listen], at: SystemClock().now()),
                authority: core.authority, membership: core.services.membership, sessions: core.services.sessions,
                registry: core.services.registry, exchange: core.services.exchange,
                pageChecks: core.services.pageChecks, calls: core.services.calls,
                names: [serve.listen], logger: logger,
                onBound: { ready.agentsAreBound(to: $0) })
            let pages = try WebPages(
                services: WebServices(
                    accounts: core.accounts, idempotency: core.idempotency, coordinator: core.services,
                    health: {
                        await core.readiness().map {
                            HealthCheck(name: $0.name, isReady: $0.isReady, detail: $0.detail)
                        }
                    }),
                settings: WebSettings(
                    uploadFolder: serve.folder.uploads,
                    engines: [settings.defaultEngine]
                        + EngineName.allCases.map(\.rawValue).filter { $0 != settings.defaultEngine },
                    limits: Self.limits(settings), version: ProgramVersion.text),
                resources: try ResourceFolder.find())
            let api = RESTServer(
                services: RESTServices(
                    accounts: core.accounts, idempotency: core.idempotency, coordinator: core.services),
                settings: RESTSettings(
                    address: serve.listen, port: serve.port, uploadFolder: serve.folder.uploads,
                    trustsForwardedFor: serve.trustsForwardedFor, version: ProgramVersion.text),
                metrics: registry, clock: SystemClock(), logger: logger,
                readiness: { await core.readiness() + farewell.checks },
                pages: {
                    await pages.answer(to: $0, requestID: $1, address: $2, logger: $3, events: $4)
                },
                onRunning: { ready.apiIsBound(to: $0) })
            var services: [any Service] =
                hints.services + [
                    core.services.memoryWatch, core.services.dispatcher, core.services.reaper, core.services.sealer,
                    core.services.lookout, core.services.presence, core.services.placementKeeper,
                    core.services.rolloutDriver, core.services.eventPruner, gateway, api,
                ]
            if let schedule = try await BackupRoom.schedule(
                serve, core: core, configuration: options.configurationPath, logger: logger)
            {
                services.append(schedule)
            }
            if serve.collectionEvery > .zero {
                services.append(
                    BlobCollection(
                        collector: core.collector(logger: logger), interval: serve.collectionEvery,
                        grace: serve.collectionGrace,
                        isWanted: {
                            // In recovery hosts may still have versions that need what nothing refers to now.
                            guard !core.services.recovery.isActive else { return false }
                            return try await core.services.stewardship.hold() != nil
                        }, logger: logger))
            }
            services.append(farewell)
            // First in, last out: a slow end is no hanging.
            if let notice { services.insert(ServiceHeartbeat(notice), at: 0) }
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger))
            try await group.run()
        }
    }

    /// What an admin reads on the page about the system.
    private static func limits(_ settings: CoordinatorSettings) -> [(name: String, value: String)] {
        [
            ("Edits of one site that may wait in line", String(settings.queuedEditsPerSite)),
            ("A worker that is silent loses its work after", "\(settings.leaseDuration.components.seconds) s"),
            (
                "A one-time command for a new host works for",
                "\(settings.invitationLifetime.components.seconds / 60) min"
            ),
            ("Files in a version", "50,000"), ("Size of a version", "2 GiB"), ("Size of a file", "256 MiB"),
            ("Size of an upload", "1 GiB"),
        ]
    }
}
