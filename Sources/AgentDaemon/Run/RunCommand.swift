import ArgumentParser
import Domain
import Logging
import Nginx
import Telemetry

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Be this host's agent, until SIGTERM.",
        discussion: """
            What the agent does follows from the roles that it joined with: a worker runs edits in sandboxes, a serving
            host keeps sites behind nginx. Prints one line of JSON when the coordinator is connected and nginx answers;
            logs go to standard error.

            Example: pagewright-agent run --state /var/lib/pagewright-agent
            """)

    @Option(help: "The agent's state folder.") var state = StateFolder.standard
    @Option(help: "Where coordinators are now: host:port,host:port…; default: where the host joined.")
    var coordinator: String?
    @Option(help: "How many edits may run at once.") var workerSlots = 2
    @Option(help: "Where nginx listens for visitors: address:port; may be given twice.")
    var sitesListen: [String] = []
    @Option(help: "The nginx program; default: where distributions put it.") var nginx: String?
    @Option(help: ArgumentHelp("The codex program, for the codex engine.", valueName: "path")) var codex: String?
    @Option(help: ArgumentHelp("The socket of the model's API, for the codex engine.", valueName: "path"))
    var modelSocket: String?
    @Option(help: ArgumentHelp("The model's name, for the codex engine.", valueName: "name")) var model: String?
    @Option(
        help: ArgumentHelp(
            "A program that installs a version of this agent, given as its only argument, and starts it.",
            valueName: "path"))
    var upgradeCommand: String?
    @Option(help: "What to log: trace, debug, info, notice, warning or error.") var logLevel = "info"
    @Option(help: "How log lines look: logfmt or json.") var logFormat = LogFormat.logfmt.rawValue

    func validate() throws {
        guard (0...64).contains(workerSlots) else { throw ValidationError("--worker-slots is 0 to 64") }
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("--log-level is no level") }
        guard
            [codex, modelSocket, model].allSatisfy({ $0 == nil })
                || [codex, modelSocket, model].allSatisfy({ $0 != nil })
        else { throw ValidationError("--codex, --model-socket and --model belong together") }
        guard LogFormat(rawValue: logFormat) != nil else { throw ValidationError("--log-format is logfmt or json") }
        _ = try addresses
    }

    var addresses: [NginxListenAddress] {
        get throws {
            try (sitesListen.isEmpty ? ["127.0.0.1:8080"] : sitesListen).map { text in
                guard let address = NginxListenAddress(text) else {
                    throw ValidationError("--sites-listen is an address and a port, such as 127.0.0.1:8080")
                }
                return address
            }
        }
    }

    func run() async throws {
        let format = LogFormat(rawValue: logFormat) ?? .logfmt
        let level = Logger.Level(rawValue: logLevel) ?? .info
        StandardErrorLogHandler.bootstrap(level: level, format: format, ring: .standard)
        let agent = Agent(
            settings: Agent.Settings(
                state: state, coordinator: coordinator, workerSlots: workerSlots, listen: try addresses, nginx: nginx,
                codex: codex.flatMap { program in
                    modelSocket.flatMap { socket in model.map { (program: program, socket: socket, model: $0) } }
                }, upgradeCommand: upgradeCommand), logger: Logger(label: "pagewright.agent"))
        try await agent.run()
    }
}
