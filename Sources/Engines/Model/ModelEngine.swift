package import Domain
import FoundationEssentials
import Glibc
import Sandbox

/// Our own loop over a model's HTTP API, run as this agent's own program inside of the sandbox, because that is where
/// everything that a model says is read.
package struct ModelEngine: Engine {
    package let name = EngineName.model
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
    static let statePath = "/state"

    package func makeRun(for task: EngineTask) throws -> EngineRun {
        guard let model = task.model else { throw EngineRefusal.notConfigured(name) }
        return try makeRun(for: task, asking: model, at: task.socketFolder)
    }

    /// - Parameter folder: of the socket that leads to the model; `nil` when there is none.
    func makeRun(for task: EngineTask, asking model: EngineModel, at folder: String?) throws -> EngineRun {
        let isReplay = !task.replay.isEmpty
        var binds =
            [SandboxPlan.Bind(program, at: Self.programPath)] + libraryFolders.map { SandboxPlan.Bind($0, at: $0) }
        if isReplay {
            try EngineState.write(task.replay, to: task.state + "/" + ModelRequest.replayName)
        } else {
            // No bridge: it talks to the socket itself.
            guard let folder else { throw EngineRefusal.noWay(to: name) }
            binds.append(SandboxPlan.Bind(folder, at: "/run/model"))
        }
        let verb = task.generation == nil ? "model-engine" : "builtin-generator"
        let plan = SandboxPlan(
            workspace: task.workspace, command: [Self.programPath, verb], readOnlyBinds: binds,
            writableBinds: [.init(task.state, at: Self.statePath)], limits: task.limits)
        let request = ModelRequest(
            provider: model.provider, model: model.name, prompt: task.prompt, schema: task.answerSchema,
            tokenBudget: model.tokenBudget, silence: model.answerTimeout, isReplay: isReplay)
        let input = task.generation.map { GeneratorInput.serialized($0, model: request) } ?? request.serialized
        return EngineRun(plan: plan, input: input)
    }

    package func makeTranscript(for task: EngineTask) -> any EngineTranscript {
        if task.generation != nil { return BuiltinTranscript(limits: task.limits) }
        return ModelEngineTranscript(limits: task.limits, state: task.state, isAnswer: task.answerSchema != nil)
    }
}

/// Reads the lines of ``ModelEngineProcess``.
struct ModelEngineTranscript: EngineTranscript {
    private let limits: SandboxLimits
    private let state: String
    private let isAnswer: Bool
    private var summary: String?
    private var failure: JobFailure?
    private var hasAnswer = false

    /// - Parameter isAnswer: whether JSON is wanted, which is not to be cut short.
    init(limits: SandboxLimits, state: String, isAnswer: Bool = false) {
        self.limits = limits
        self.state = state
        self.isAnswer = isAnswer
    }

    mutating func read(_ output: SandboxOutput) -> [EngineEvent] {
        switch output {
        case .diagnostic(let text): return [.log(text.shown(limit: 4000))]
        case .line(let text):
            switch ModelEvent(line: text) {
            case .progress(let step, let percent): return [.progress(step: step, percent: percent)]
            case .log(let text): return [.log(text)]
            case .usage(let usage):
                hasAnswer = true
                return [.usage(usage)]
            case .finished(let text):
                summary = isAnswer ? text : text.shown(limit: 4000)
                return [.progress(step: "The model is done", percent: 100), .log(text.shown(limit: 4000))]
            case .failed(let failure):
                self.failure = failure
                return [.log("failed: \(failure.message)")]
            case nil: return [.log(text.shown(limit: 4000))]
            }
        }
    }

    func transcriptAfterEnd() -> [UInt8] {
        EngineState.read(ModelRequest.transcriptName, in: state, limit: JobCompletion.transcriptLimit) ?? []
    }

    mutating func judge(_ outcome: SandboxOutcome) -> EngineVerdict {
        if case .exceeded(.wallTime) = outcome.ending, !hasAnswer { return .failed(.modelTimeout) }
        if let failure = JobFailure.stopped(outcome, limits: limits) { return .failed(failure) }
        switch (outcome.ending, summary, failure) {
        case (.exited(code: 0), let summary?, nil): return .finished(summary: summary)
        case (.exited(code: 3), _, let failure?): return .failed(failure)
        default:
            let detail =
                outcome.diagnostics.split(separator: "\n").last.map { ": " + String($0).shown(limit: 500) } ?? "."
            return .failed(
                JobFailure(kind: .task, code: "engine-failed", message: "The editing program failed\(detail)"))
        }
    }
}
