import ArgumentParser
import Testing

@testable import AgentDaemon

struct CommandTests {
    @Test("Every command has an example in its help")
    func help() {
        for command in AgentCommand.configuration.subcommands where command.configuration.shouldDisplay {
            let text = AgentCommand.helpMessage(for: command, columns: 120)
            #expect(text.contains("Example: pagewright-agent \(command.configuration.commandName ?? "?")"))
        }
    }

    @Test(
        "Options that make no sense are refused before anything starts",
        arguments: [
            ["run", "--sites-listen", "8080"], ["run", "--worker-slots", "-1"], ["run", "--model", "gpt-5.4"],
            ["run", "--log-level", "loud"], ["run", "--log-format", "prose"], ["status", "--state", ""],
        ])
    func refused(arguments: [String]) {
        #expect(throws: (any Error).self) { try AgentCommand.parseAsRoot(arguments) }
    }

    @Test("A relative state folder is meant from where the command was given")
    func relative() {
        #expect(StateFolder(argument: "/a/b")?.path == "/a/b")
        #expect(StateFolder(argument: "x")?.path.hasSuffix("/x") == true)
        #expect(StateFolder(argument: "x")?.path.hasPrefix("/") == true)
    }
}
