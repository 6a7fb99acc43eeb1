import ArgumentParser
import Engines

/// The engine `model` as a process of its own. The agent runs this inside of a sandbox; it is of no use elsewhere.
struct ModelEngineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model-engine", abstract: "Edit the site in the current folder by asking a model.",
        shouldDisplay: false)

    func run() throws {
        throw ExitCode(ModelEngineProcess.run())
    }
}
