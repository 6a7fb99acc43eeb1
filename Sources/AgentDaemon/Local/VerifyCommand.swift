import AgentCore
import ArgumentParser
import FoundationEssentials

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read what is served again, every byte, and compare it with its version.",
        discussion: """
            Changes nothing; the agent mends by itself, one site every five minutes. Exits with 1 when something is damaged.

            Example: pagewright-agent verify www.example.org
            """)

    @OptionGroup var options: StateOption
    @Argument(help: "The site's id or one of its names; default: all.") var site: String?

    func run() async throws {
        let found = try await StatusClient(path: options.state.socket).ask(
            LocalRequest(.verify, site: site), as: LocalVerification.self)
        if options.json {
            Output.print(String(decoding: try AgentStatus.encoder.encode(found), as: UTF8.self))
        } else {
            for site in found.sites {
                Output.print(site.damage.isEmpty ? "ok       \(site.site)" : "damaged  \(site.site)")
                for line in site.damage { Output.print("         \(line)") }
            }
            if found.sites.isEmpty { Output.print("No site is placed on this host.") }
        }
        if found.sites.contains(where: { !$0.damage.isEmpty }) { throw ExitCode(1) }
    }
}
