import ArgumentParser
import Domain
import Logging
import Nginx
import Telemetry
import Worker

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Be this host's agent, until SIGTERM.",
        discussion: """
            What the agent does follows from the roles that it joined with: a worker runs edits in sandboxes, a serving
            host keeps sites behind nginx. Prints one line of JSON when the coordinator is connected and nginx answers;
            logs go to standard error.

            Edits that run when the agent is stopped or killed go on without it. The agent that is started next, of the
            same or a newer version, finds them again; without one they end after 45 seconds.

            Example: pagewright-agent run --state /var/lib/pagewright-agent
            """)

    @Option(help: "The agent's state folder.") var state = StateFolder.standard
    @Option(help: "Where coordinators are now: host:port,host:port…; default: where the host joined.")
    var coordinator: String?
    @Option(help: "How many edits may run at once.") var workerSlots = 2
    @Option(help: "Where nginx listens for visitors: address:port; may be given twice.")
    var sitesListen: [String] = []
    @Option(help: "The nginx program; default: where distributions put it.") var nginx: String?
    @Option(
        help: ArgumentHelp(
            "Use an nginx that somebody else runs and that includes this file; the next option goes with it.",
            valueName: "path"))
    var nginxInclude: String?
    @Option(help: ArgumentHelp("Where that nginx writes its process number.", valueName: "path"))
    var nginxPidFile: String?
    @Option(help: ArgumentHelp("The main configuration of that nginx; default: its own.", valueName: "path"))
    var nginxConfiguration: String?
    @Option(
        help: "How many requests a second one visitor may send to one site, five times as many at once; 0: no limit.")
    var visitorRate = 100
    @Option(help: ArgumentHelp("The codex program, for the codex engine.", valueName: "path")) var codex: String?
    @Option(help: ArgumentHelp("The Claude Code program, for the claude engine.", valueName: "path"))
    var claude: String?
    @Option(
        help: ArgumentHelp(
            "The socket of a model's API for the codex engine, when the coordinator has none configured.",
            valueName: "path"))
    var modelSocket: String?
    @Option(help: ArgumentHelp("The name of the model behind that socket.", valueName: "name")) var model: String?
    @Option(
        help: ArgumentHelp(
            "A model on a private address that edits may ask, also over http; may be given more than once.",
            valueName: "host:port"))
    var localModel: [String] = []
    @Flag(help: "End running edits when the agent stops, instead of leaving them to the next start.")
    var endJobsOnStop = false
    @Option(
        help: ArgumentHelp(
            "A program that installs a version of this agent, given as its only argument, and starts it.",
            valueName: "path"))
    var upgradeCommand: String?
    @Option(
        help: ArgumentHelp("How long that version may take to be well, until it is taken back.", valueName: "seconds"))
    var upgradeGate = 120
    @Option(
        help: ArgumentHelp(
            "Chromium itself, to look at changed pages with; default: Debian's, when it is installed; off: none.",
            valueName: "path|off"))
    var browser: String?
    @Option(help: "What to log: trace, debug, info, notice, warning or error.") var logLevel = "info"
    @Option(help: "How log lines look: logfmt or json.") var logFormat = LogFormat.logfmt.rawValue

    func validate() throws {
        // A version has to stay well for three seconds: a gate of less could only take it back.
        guard (10...3600).contains(upgradeGate) else { throw ValidationError("--upgrade-gate is 10 to 3600") }
        guard (0...64).contains(workerSlots) else { throw ValidationError("--worker-slots is 0 to 64") }
        guard (0...1_000_000).contains(visitorRate) else { throw ValidationError("--visitor-rate is 0 to 1000000") }
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("--log-level is no level") }
        guard (modelSocket == nil) == (model == nil), modelSocket == nil || codex != nil else {
            throw ValidationError("--model-socket and --model belong together, and to --codex")
        }
        guard (nginxInclude == nil) == (nginxPidFile == nil) else {
            throw ValidationError("--nginx-include and --nginx-pid-file belong together")
        }
        guard nginxConfiguration == nil || nginxInclude != nil else {
            throw ValidationError("--nginx-configuration goes with --nginx-include")
        }
        guard
            [nginxInclude, nginxPidFile, nginxConfiguration].allSatisfy({ $0.map { $0.hasPrefix("/") } ?? true })
        else { throw ValidationError("the paths of nginx's files begin with /") }
        guard LogFormat(rawValue: logFormat) != nil else { throw ValidationError("--log-format is logfmt or json") }
        guard browser.map({ $0 == "off" || $0.hasPrefix("/") }) ?? true else {
            throw ValidationError("--browser is a path that begins with /, or off")
        }
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

    private var nginxMode: NginxSettings.Mode {
        guard let nginxInclude, let nginxPidFile else { return .child }
        return .system(include: nginxInclude, pidFile: nginxPidFile, configuration: nginxConfiguration)
    }

    func run() async throws {
        let format = LogFormat(rawValue: logFormat) ?? .logfmt
        let level = Logger.Level(rawValue: logLevel) ?? .info
        StandardErrorLogHandler.bootstrap(level: level, format: format, ring: .standard)
        let agent = Agent(
            settings: Agent.Settings(
                state: state, coordinator: coordinator, workerSlots: workerSlots, listen: try addresses, nginx: nginx,
                nginxMode: nginxMode, visitorRate: visitorRate, endsJobsOnStop: endJobsOnStop, localModels: localModel,
                codex: codex, ownModel: modelSocket.flatMap { socket in model.map { (socket: socket, name: $0) } },
                claude: claude, browser: BrowserChoice(browser), upgradeCommand: upgradeCommand,
                upgradeGate: upgradeGate),
            logger: Logger(label: "pagewright.agent"))
        try await agent.run()
    }
}
