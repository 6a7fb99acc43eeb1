import AgentCore
import ArgumentParser

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Take jobs again after a drain.",
        discussion: "Example: pagewright-agent resume")

    @OptionGroup var options: StateOption

    func run() async throws { try await options.perform(LocalRequest(.resume)) }
}
