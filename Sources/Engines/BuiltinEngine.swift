package import Domain
import FoundationEssentials
import Sandbox

/// Runs this agent's own program as an editor that understands a small documented set of requests, without any AI.
package struct BuiltinEngine: Engine {
    package let name = EngineName.builtin
    private let program: String
    private let libraryFolders: [String]

    /// - Parameters:
    ///   - program: `pagewright-agent` on this host.
    ///   - libraryFolders: bound at their own place; needed when the program is linked dynamically.
    package init(program: String, libraryFolders: [String] = SwiftRuntime.libraryFolders()) {
        self.program = program
        self.libraryFolders = libraryFolders
    }

    private static let programPath = "/opt/engine/pagewright-agent"

    package func makeRun(for task: EngineTask) -> EngineRun {
        let verb = task.generation == nil ? "builtin-engine" : "builtin-generator"
        let plan = SandboxPlan(
            workspace: task.workspace, command: [Self.programPath, verb],
            readOnlyBinds: [.init(program, at: Self.programPath)] + libraryFolders.map { .init($0, at: $0) },
            limits: task.limits)
        return EngineRun(
            plan: plan, input: task.generation.map { GeneratorInput.serialized($0) } ?? Array(task.prompt.utf8))
    }

    package func makeTranscript(for task: EngineTask) -> any EngineTranscript { BuiltinTranscript(limits: task.limits) }
}

/// Reads the lines that the built-in editor prints.
struct BuiltinTranscript: EngineTranscript {
    private struct Line: Decodable {
        var event: String
        var step: String?
        var percent: Int?
        var summary: String?
        var message: String?
        var kind: String?
        var code: String?
        var done: GenerationLine?
    }

    private let limits: SandboxLimits
    private var summary: String?
    private var refusal: JobFailure?
    /// Of the steps of a generation.
    private var usage = TokenUsage.zero

    init(limits: SandboxLimits) { self.limits = limits }

    mutating func read(_ output: SandboxOutput) -> [EngineEvent] {
        switch output {
        case .diagnostic(let text): return [.log(text.shown(limit: 4000))]
        case .line(let text):
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else {
                return [.log(text.shown(limit: 4000))]
            }
            switch line.event {
            case "progress":
                let step = (line.step ?? "Editing").shown(limit: 200)
                return [.progress(step: step, percent: line.percent ?? 0), .log(step)]
            case "step":
                // The sandbox said it, so it is only as good as what the coordinator makes of it.
                guard let step = line.done?.step else { return [] }
                usage = usage + step.usage
                return [.step(step), .usage(usage)]
            case "finished":
                summary = (line.summary ?? "").shown(limit: 4000)
                return [.log(summary ?? "")]
            case "refused":
                let message = (line.message ?? "").shown(limit: 4000)
                refusal = JobFailure(
                    kind: line.kind.flatMap { JobFailure.Kind(rawValue: $0) } ?? .task,
                    code: (line.code ?? "engine-refused").shown(limit: 60), message: message)
                return [.log(message)]
            default: return []
            }
        }
    }

    mutating func judge(_ outcome: SandboxOutcome) -> EngineVerdict {
        if let failure = JobFailure.stopped(outcome, limits: limits) { return .failed(failure) }
        switch (outcome.ending, summary, refusal) {
        case (.exited(code: 0), let summary?, _): return .finished(summary: summary)
        case (.exited(code: 3), _, let refusal?):
            return .failed(refusal)
        default:
            let detail =
                outcome.diagnostics.split(separator: "\n").last.map { ": " + String($0).shown(limit: 500) } ?? "."
            return .failed(
                JobFailure(kind: .task, code: "engine-failed", message: "The editing program failed\(detail)"))
        }
    }
}
