import ArgumentParser

/// Puts load on parts of a coordinator, for bench/run. Each command prints lines of JSON.
@main
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "LoadBench", abstract: "Puts load on parts of a coordinator, for bench/run.",
        subcommands: [Cycles.self, Dispatch.self, Drain.self, IdleAgents.self, Sandboxes.self])
}
