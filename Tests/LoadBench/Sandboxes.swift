import ArgumentParser
import Domain
import Sandbox

/// How long a program waits for its sandbox: from the call until it prints its first line, and until nothing of it is left.
struct Sandboxes: AsyncParsableCommand {
    @Option(help: "An empty folder that is the workspace.") var workspace: String
    @Option(help: "A folder for a model's socket; with it the bridge to it is started, too.") var socketFolder: String?
    @Option var rounds = 60

    func run() async throws {
        let runner = try SandboxRunner()
        let plan = SandboxPlan(
            workspace: workspace, command: ["/usr/bin/echo", "here"],
            modelSocket: socketFolder.map { SandboxPlan.ModelSocket(folder: $0) })
        var (starts, runs) = (Samples(), Samples())
        for round in 0...rounds {
            let first = Shared<ContinuousClock.Instant?>(nil)
            let began = ContinuousClock.now
            let outcome = try await runner.run(plan) { _ in
                first.withLock { instant in if instant == nil { instant = .now } }
            }
            let ended = ContinuousClock.now
            guard outcome.ending == .exited(code: 0), let printed = first.withLock({ $0 }) else {
                throw ServiceError(.internalError, "the program did not run: \(outcome)")
            }
            // The first one reads the programs from the disk.
            guard round > 0 else { continue }
            starts.add(printed - began)
            runs.add(ended - began)
        }
        print("{\"rounds\":\(rounds),\(starts.fields("start")),\(runs.fields("whole"))}")
    }
}
