import Domain
import Engines
import Sandbox

/// What a look has in place of an engine: it edits nothing, and a browser comes after it, outside of the sandbox.
struct NoEngine: Engine {
    private struct Silence: EngineTranscript {
        mutating func read(_ output: SandboxOutput) -> [EngineEvent] { [] }
        mutating func judge(_ outcome: SandboxOutcome) -> EngineVerdict { .failed(NoEngine.refusal) }
    }

    private static let refusal = JobFailure(kind: .task, code: "no-engine", message: "A look runs no engine.")

    let name = EngineName.browser

    func makeRun(for task: EngineTask) throws -> EngineRun {
        throw ServiceError(.internalError, Self.refusal.message)
    }

    func makeTranscript(for task: EngineTask) -> any EngineTranscript { Silence() }
}
