import ArgumentParser
import Foundation

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Run the whole system on this machine, for trying it.",
        discussion: """
            Starts a coordinator and an agent that joined it, all state in one folder, and prints the addresses when
            everything is ready. Ctrl-C stops all of it; the next start goes on where it stopped. A port of 0 picks a
            free one. The programs' logs are in the folder's log/.

            Example: pagewright up
            Example: pagewright up --state /tmp/try --port 0 --agents-port 0 --sites-port 0 --json
            """)

    @Option(help: "The folder for everything.") var state = "./.pagewright"
    @Option(help: "The port of the API.") var port = 8085
    @Option(help: "The port for agents.") var agentsPort = 8443
    @Option(help: "The port on which nginx serves the sites.") var sitesPort = 8080
    @Option(help: "How many edits may run at once.") var workerSlots = 2
    @Option(help: ArgumentHelp("The codex program, for the codex engine.", valueName: "path")) var codex: String?
    @Option(help: ArgumentHelp("The Claude Code program, for the claude engine.", valueName: "path"))
    var claude: String?
    @Option(
        help: ArgumentHelp(
            "The socket of a model's API for the codex engine, when none is configured.", valueName: "path"))
    var modelSocket: String?
    @Option(help: ArgumentHelp("The name of the model behind that socket.", valueName: "name")) var model: String?
    @Option(help: ArgumentHelp("The nginx program.", valueName: "path")) var nginx: String?
    @Option(
        help: ArgumentHelp(
            "Chromium itself, to look at changed pages with; default: Debian's, when it is installed; off: none.",
            valueName: "path|off"))
    var browser: String?
    @Flag(help: "Print one line of JSON when everything is ready.") var json = false

    func validate() throws {
        for (port, option) in [(port, "--port"), (agentsPort, "--agents-port"), (sitesPort, "--sites-port")]
        where !(0...65_535).contains(port) {
            throw ValidationError("\(option) is 0 to 65535")
        }
        guard (0...64).contains(workerSlots) else { throw ValidationError("--worker-slots is 0 to 64") }
        guard (modelSocket == nil) == (model == nil), modelSocket == nil || codex != nil else {
            throw ValidationError("--model-socket and --model belong together, and to --codex")
        }
    }

    func run() async throws {
        let programs = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var agentOptions: [String] = []
        for (name, value) in [
            ("--codex", codex), ("--claude", claude), ("--model-socket", modelSocket), ("--model", model),
            ("--nginx", nginx), ("--browser", browser),
        ] {
            if let value { agentOptions += [name, value] }
        }
        let system = LocalSystem(
            settings: LocalSystem.Settings(
                state: StateDirectory(path: state), programs: (programs as NSString).deletingLastPathComponent,
                port: port, agentsPort: agentsPort, sitesPort: sitesPort, workerSlots: workerSlots,
                agentOptions: agentOptions))
        try await system.run { running in
            if json { return Console.print(object: running.object) }
            Console.print("Pagewright is up.")
            Console.print("  Web     \(running.api)  (open it in a browser; the API is there too)")
            Console.print("  Sites   \(running.sites)  (each at its own name, such as http://bakery.localhost:…)")
            Console.print("  Agents  \(running.agents)")
            Console.print("  State   \(running.state)")
            Console.print("Or begin in another terminal: pagewright login --register --url \(running.api)")
            Console.print("Ctrl-C stops all of it.")
        } note: { text in
            Console.printError(text)
        }
    }
}
