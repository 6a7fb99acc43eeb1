import ArgumentParser
import Testing

@testable import PagewrightCLI

struct CommandTests {
    /// Every verb that a person can type.
    private static func verbs(
        of command: any ParsableCommand.Type = Pagewright.self, path: [String] = []
    ) -> [(path: [String], command: any ParsableCommand.Type)] {
        let subcommands =
            command.configuration.subcommands + command.configuration.groupedSubcommands.flatMap(\.subcommands)
        guard !subcommands.isEmpty else { return [(path, command)] }
        return subcommands.flatMap { verbs(of: $0, path: path + [$0.configuration.commandName ?? "?"]) }
    }

    @Test("Every verb has --json and an example in its help")
    func help() {
        let verbs = Self.verbs()
        #expect(verbs.count > 30)
        for verb in verbs {
            let text = Pagewright.helpMessage(for: verb.command, columns: 120)
            #expect(text.contains("Example: pagewright \(verb.path.joined(separator: " "))"), "\(verb.path)")
            #expect(text.contains("--json"), "\(verb.path)")
        }
    }

    @Test("The version that promote takes may be left out")
    func promote() throws {
        let command = try #require(
            try Pagewright.parseAsRoot(["promote", "bakery", "--url", "localhost:1", "--timeout", "5"])
                as? PromoteCommand)
        #expect(command.version == nil && !command.unchecked)
        #expect(command.wait.timeout == 5)
        #expect(command.connection.url?.text == "http://localhost:1")
    }

    @Test(
        "Wrong usage is told apart from failure",
        arguments: [
            ["promote"], ["up", "--port", "70000"], ["up", "--model", "gpt-5.4"],
            ["versions", "x", "--limit", "y"], ["edit", "bakery"], ["nonsense"],
            ["promote", "x", "--timeout", "0"],
        ])
    func usage(arguments: [String]) {
        do {
            _ = try Pagewright.parseAsRoot(arguments)
            Issue.record("accepted \(arguments)")
        } catch {
            #expect(Pagewright.exitCode(for: error) == .validationFailure)
        }
    }
}
