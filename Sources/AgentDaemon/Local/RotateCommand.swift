import AgentCore
import ArgumentParser

struct RotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-cert", abstract: "Get a new certificate now, with a new key.",
        discussion: """
            The coordinator has to be there. The old one stays good until the new one was used.

            Example: pagewright-agent rotate-cert
            """)

    @OptionGroup var options: StateOption

    func run() async throws { try await options.perform(LocalRequest(.rotate)) }
}
