import AgentCore
import ArgumentParser

struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Take no new jobs on this host; sites are served as before.",
        discussion: """
            Works while the coordinator is away, and outlives a restart. What runs goes on to its end; see it with
            pagewright-agent jobs.

            Example: pagewright-agent drain
            """)

    @OptionGroup var options: StateOption

    func run() async throws { try await options.perform(LocalRequest(.drain)) }
}
