import ArgumentParser
import Engines

/// The built-in editor as a process of its own. The agent runs this inside of a sandbox; it is of no use elsewhere.
struct BuiltinEngineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "builtin-engine", abstract: "Edit the site in the current folder as standard input says.",
        shouldDisplay: false)

    func run() throws {
        throw ExitCode(BuiltinEngineProcess.run())
    }
}
