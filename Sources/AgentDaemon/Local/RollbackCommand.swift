import AgentCore
import ArgumentParser

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Show visitors of this host the release before, without the coordinator.",
        discussion: """
            For when the coordinator is away: it goes to a version that is on this host. The coordinator is told with the
            next session, and undoes it or lets it be until the next release, as it is set (rollback.local). While it is
            there use pagewright rollback, which is for all hosts.

            Example: pagewright-agent rollback www.example.org
            """)

    @OptionGroup var options: StateOption
    @Argument(help: "The site's id or one of its names.") var site: String
    @Option(help: "The version to show; default: the one before.") var to: Int?
    @Flag(help: "Show again what the coordinator asked for.") var undo = false

    func validate() throws {
        guard to == nil || !undo else { throw ValidationError("--to and --undo exclude each other") }
    }

    func run() async throws {
        try await options.perform(LocalRequest(.rollback, site: site, version: to, isUndo: undo))
    }
}
