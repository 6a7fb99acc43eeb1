import AgentGateway
import ArgumentParser
import Coordinator
import Domain
import FleetIdentity
import Logging
import Metrics
import RESTAPI
import ServiceLifecycle
import Telemetry
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves the REST API and the agents, until SIGTERM or Ctrl-C.",
        discussion: """
            Prints one line of JSON on standard output when both ports are open; the log goes to standard error.

            Example: pagewright-coordinator serve --state /var/lib/pagewright --sites-domain sites.example.org
            """)

    @OptionGroup var state: StateOptions
    @Option(help: "The address to listen on.")
    var listen = "127.0.0.1"
    @Option(help: "The port of the REST API; 0 picks a free one.")
    var port = 8085
    @Option(help: "The port for agents; 0 picks a free one.")
    var agentsPort = 8443
    @Option(help: "Where agents reach this coordinator, host:port; for the commands that it prints.")
    var agentsAddress: String?
    @Option(help: "Sites answer at <slug>.<sites domain>.")
    var sitesDomain = "localhost"
    @Option(help: "The port in the addresses of sites.")
    var sitesPort = 8080
    @Option(help: "The least that is logged: debug, info, notice, warning or error.")
    var logLevel = "notice"
    @Option(help: "How the log looks: logfmt or json.")
    var logFormat = "logfmt"

    func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("--log-level is no level") }
        guard LogFormat(rawValue: logFormat) != nil else { throw ValidationError("--log-format is logfmt or json") }
        for (port, option) in [(port, "--port"), (agentsPort, "--agents-port"), (sitesPort, "--sites-port")] {
            guard (0...65_535).contains(port) else { throw ValidationError("\(option) is 0 to 65535") }
        }
    }

    func run() async throws {
        try await reporting {
            let registry = PrometheusRegistry()
            MetricsSystem.bootstrap(registry)
            StandardErrorLogHandler.bootstrap(
                level: Logger.Level(rawValue: logLevel) ?? .notice, format: LogFormat(rawValue: logFormat) ?? .logfmt)
            let logger = Logger(label: "pagewright.coordinator")
            let settings = CoordinatorSettings(
                sitesDomain: try DomainSetting.checked(sitesDomain), sitesPort: sitesPort,
                agentsAddress: agentsAddress ?? "\(listen):\(agentsPort)", version: ProgramVersion.text)
            let core = try await CoordinatorCore.open(state.folder, settings: settings, logger: logger)
            try await core.services.desiredState.noteNames()
            let ready = ReadyLine(host: listen)
            let gateway = AgentGatewayServer(
                host: listen, port: agentsPort,
                credential: try core.authority.issueServerCertificate(names: [listen], at: SystemClock().now()),
                authority: core.authority, membership: core.services.membership, sessions: core.services.sessions,
                registry: core.services.registry, exchange: core.services.exchange, logger: logger,
                onBound: { ready.agentsAreBound(to: $0) })
            let api = RESTServer(
                services: RESTServices(
                    accounts: core.accounts, idempotency: core.idempotency, coordinator: core.services),
                settings: RESTSettings(
                    address: listen, port: port, uploadFolder: state.folder.uploads, version: ProgramVersion.text),
                metrics: registry, clock: SystemClock(), logger: logger, readiness: { await core.readiness() },
                onRunning: { ready.apiIsBound(to: $0) })
            let services: [any Service] = [core.services.dispatcher, core.services.reaper, gateway, api]
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger))
            try await group.run()
        }
    }
}

/// The installation's own domain: one label such as `localhost`, or a domain name.
enum DomainSetting {
    static func checked(_ text: String) throws(ServiceError) -> String {
        if text == "localhost" { return text }
        return try DomainName(text).text
    }
}
