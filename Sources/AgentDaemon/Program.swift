import ArgumentParser
import Domain
import Glibc

/// The program of each host.
@main
enum Program {
    static func main() async {
        // A status socket or a pipe whose reader is gone is an error to see, not a death.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try AgentCommand.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as ServiceError {
            Output.printError("error: \(error.message)")
            if let rule = error.rule { Output.printError("  rule: \(rule)") }
            if let nextStep = error.nextStep { Output.printError("  next: \(nextStep)") }
            if let cause = error.cause { Output.printError("  because: \(cause)") }
            exit(AgentExit.failed)
        } catch {
            AgentCommand.exit(withError: error)
        }
    }
}

/// The exit codes of the agent's commands; those of `status` and `doctor` are 0 ok, 1 degraded and 2 bad.
enum AgentExit {
    static let failed: Int32 = 2
}

struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pagewright-agent",
        abstract: "Serve sites and run edits on this host; say how it is.",
        discussion: """
            All but join, run and doctor ask the agent that runs here over a local socket; they work while the coordinator
            is away, but for rotate-cert. Exit codes: 0 ok, 1 degraded, 2 bad or failed, 64 wrong usage.
            """,
        version: AgentVersion.text,
        subcommands: [
            JoinCommand.self, RunCommand.self, StatusCommand.self, SitesCommand.self, SiteCommand.self,
            JobsCommand.self, LogsCommand.self, DoctorCommand.self, RotateCommand.self, DrainCommand.self,
            ResumeCommand.self, VerifyCommand.self, RollbackCommand.self, CollectCommand.self, VersionCommand.self,
            UpgradeRunCommand.self, BuiltinEngineCommand.self, ModelEngineCommand.self, BuiltinGeneratorCommand.self,
            PageCheckerCommand.self,
        ])
}

enum AgentVersion {
    /// The version of the package that this program came in, when that has one of its own (`1.4.0-1`), as upgrades name
    /// it; otherwise the program's.
    static let text: String = {
        let own = getenv("PAGEWRIGHT_PACKAGE_VERSION").map { String(cString: $0) }
        return own.flatMap { try? ProgramVersionText($0).text } ?? "0.1.0"
    }()
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version of this program.",
        discussion: "Example: pagewright-agent version --json")

    @Flag(help: "Print JSON.") var json = false

    func run() {
        Output.print(json ? #"{"version":"\#(AgentVersion.text)"}"# : "pagewright-agent \(AgentVersion.text)")
    }
}
