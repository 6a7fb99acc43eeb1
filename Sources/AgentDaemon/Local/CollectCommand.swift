import AgentCore
import ArgumentParser
import FoundationEssentials

struct CollectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Say what the next clean-up would take away.",
        discussion: """
            The agent cleans up by itself, after a while in which nothing was used; this shows what it will take.

            Example: pagewright-agent gc --plan
            """)

    @OptionGroup var options: StateOption
    @Flag(help: "Only say it; there is nothing else to ask for.") var plan = false

    func validate() throws {
        guard plan else { throw ValidationError("say --plan; the agent itself cleans up, when it is time") }
    }

    func run() async throws {
        let found = try await StatusClient(path: options.state.socket).ask(
            LocalRequest(.collectionPlan), as: LocalCollectionPlan.self)
        guard !options.json else {
            return Output.print(String(decoding: try AgentStatus.encoder.encode(found), as: UTF8.self))
        }
        if let obstacle = found.obstacle { Output.print("note: \(obstacle)") }
        Output.print("generations  \(found.generations.count)")
        Output.print("trees        \(found.trees.count)")
        Output.print("blobs        \(found.blobs), \(StatusText.size(found.blobBytes))")
        for path in found.generations + found.trees { Output.print("  \(path)") }
    }
}
