import ArgumentParser
import Engines

/// The built-in generator as a process of its own. The agent runs this inside of a sandbox; it is of no use elsewhere.
struct BuiltinGeneratorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "builtin-generator", abstract: "Make the site in the current folder as standard input says.",
        shouldDisplay: false)

    func run() async throws {
        throw ExitCode(await GeneratorProcess.run())
    }
}
