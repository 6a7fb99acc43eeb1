package import Domain
package import Sandbox

/// A program that edits a website from a request in words. It runs in a sandbox and sees nothing but the workspace.
///
/// An engine decides what to run and what the output means; it starts nothing itself.
package protocol Engine: Sendable {
    var name: EngineName { get }

    /// What to run for `task`. Writes what the engine needs into the task's state folder, so it may block.
    func makeRun(for task: EngineTask) throws -> EngineRun

    /// A reader for the output of one run.
    func makeTranscript(for task: EngineTask) -> any EngineTranscript

    /// What of its state folder it needs to go on with a conversation: names of folders; empty when it remembers nothing.
    var remembered: [String] { get }

    /// Whether a replay is this engine once more, with what its model said then from the transcript that was written
    /// outside of the sandbox: a ``ModelTraffic``. Others keep a transcript of their own, or need none.
    var followsTraffic: Bool { get }

    /// Whether its model may run commands whose outcome depends on the moment. Then it is written down, and held against a
    /// replay, what became of the files after each answer.
    var runsCommands: Bool { get }

    /// The traffic of a run that went on with a conversation, made to be followed by one that begins without it.
    func selfContained(_ traffic: ModelTraffic) -> ModelTraffic
}

extension Engine {
    package var remembered: [String] { [] }
    package var followsTraffic: Bool { false }
    package var runsCommands: Bool { false }
    package func selfContained(_ traffic: ModelTraffic) -> ModelTraffic { traffic }
}

/// The model that an engine is to ask. The key is not here: the broker outside of the sandbox has it.
package struct EngineModel: Sendable, Equatable {
    package let provider: ModelEndpoint.Provider
    package let name: String
    /// How many tokens the run may use; `nil` is without a limit.
    package let tokenBudget: Int?
    /// How long the model may be silent.
    package let answerTimeout: Duration

    package init(
        provider: ModelEndpoint.Provider, name: String, tokenBudget: Int? = nil,
        answerTimeout: Duration = .seconds(120)
    ) {
        self.provider = provider
        self.name = name
        self.tokenBudget = tokenBudget
        self.answerTimeout = answerTimeout
    }

    package init(_ access: ModelAccess) {
        self.init(
            provider: access.endpoint.provider, name: access.model, tokenBudget: access.tokenBudget,
            answerTimeout: access.answerTimeout)
    }
}

/// What an engine knows of the conversation that a run goes on with. The files that belong to it lie in the state folder.
package struct EngineMemory: Sendable, Equatable, Codable {
    /// The engine's own name for the conversation.
    package let handle: String
    /// What the conversation used so far, for engines that only tell the sum.
    package let usage: TokenUsage

    package init(handle: String, usage: TokenUsage) {
        self.handle = handle
        self.usage = usage
    }

    private enum Key: String, CodingKey { case handle, uncached, cached, output }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        self.init(
            handle: try container.decode(String.self, forKey: .handle),
            usage: TokenUsage(
                uncachedInput: try container.decode(Int.self, forKey: .uncached),
                cachedInput: try container.decode(Int.self, forKey: .cached),
                output: try container.decode(Int.self, forKey: .output)))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(handle, forKey: .handle)
        try container.encode(usage.uncachedInput, forKey: .uncached)
        try container.encode(usage.cachedInput, forKey: .cached)
        try container.encode(usage.output, forKey: .output)
    }
}

/// Why an engine cannot run here at all.
package struct EngineRefusal: Error, Sendable, Equatable {
    package let failure: JobFailure

    static func notConfigured(_ engine: EngineName) -> EngineRefusal {
        EngineRefusal(
            failure: JobFailure(
                kind: .task, code: "engine-misconfigured",
                message: "No model is configured for the engine \(engine.rawValue). An administrator has to do that."))
    }

    package static let unreadableTranscript = EngineRefusal(
        failure: JobFailure(
            kind: .task, code: "replay-diverged",
            message: "The transcript cannot be followed: this worker cannot read it."))

    static func noGenerator(for engine: EngineName) -> EngineRefusal {
        EngineRefusal(
            failure: JobFailure(
                kind: .task, code: "engine-misconfigured",
                message: "The engine \(engine.rawValue) of this worker makes no sites from briefs."))
    }

    static func noWay(to engine: EngineName) -> EngineRefusal {
        EngineRefusal(
            failure: JobFailure(
                kind: .task, code: "engine-misconfigured",
                message: "This worker has no way to the model of the engine \(engine.rawValue). Tell an administrator.")
        )
    }
}

/// One request, and where to carry it out.
package struct EngineTask: Sendable {
    package let prompt: String
    /// The folder of the site on this host.
    package let workspace: String
    /// An empty folder of this attempt alone, outside of the workspace.
    package let state: String
    package let limits: SandboxLimits
    /// `nil` when the engine asks none, or the worker's own operator chose it.
    package let model: EngineModel?
    /// The folder of this host whose socket `model.sock` leads to the model.
    package let socketFolder: String?
    /// What is to be followed instead of asking a model; empty when nothing is.
    package let replay: [UInt8]
    /// Of the conversation so far; its files are in ``state`` already.
    package let memory: EngineMemory?
    /// The request alone, for when there is a ``memory``; empty is the ``prompt``.
    package let continuation: String
    /// JSON; then an answer of this shape is wanted, not a change. Only the engine `model` can do that.
    package let answerSchema: String?
    /// A ``GenerationTask`` as JSON, when a site is to be made from a brief; the prompt is for people then.
    package let generation: String?

    package init(
        prompt: String, workspace: String, state: String, limits: SandboxLimits, model: EngineModel? = nil,
        socketFolder: String? = nil, replay: [UInt8] = [], memory: EngineMemory? = nil, continuation: String = "",
        answerSchema: String? = nil, generation: String? = nil
    ) {
        self.prompt = prompt
        self.workspace = workspace
        self.state = state
        self.limits = limits
        self.model = model
        self.socketFolder = socketFolder
        self.replay = replay
        self.memory = memory
        self.continuation = continuation
        self.answerSchema = answerSchema
        self.generation = generation
    }

    /// What the engine is asked, with or without a memory.
    var request: String { memory == nil || continuation.isEmpty ? prompt : continuation }
}

/// What ``SandboxRunner`` is to run.
package struct EngineRun: Sendable, Equatable {
    package let plan: SandboxPlan
    /// Standard input; it ends after these bytes.
    package let input: [UInt8]

    package init(plan: SandboxPlan, input: [UInt8]) {
        self.plan = plan
        self.input = input
    }
}

/// Reads what one run prints, from its first line to its end. Nothing in it is believed: it is only shown.
package protocol EngineTranscript: Sendable {
    mutating func read(_ output: SandboxOutput) -> [EngineEvent]

    /// What the run used of a model, when it ended without an ``EngineEvent/usage(_:)``. May read files, so it may block.
    func usageAfterEnd() -> TokenUsage?

    /// What was said between the engine and its model, for a replay; empty when it keeps nothing. May block.
    func transcriptAfterEnd() -> [UInt8]

    /// What the engine has to know to go on with the conversation; `nil` when it cannot.
    func memoryAfterEnd() -> EngineMemory?

    /// Judges the run after its end. Success says only that the engine believes in it: what changed is for the
    /// caller to find out.
    mutating func judge(_ outcome: SandboxOutcome) -> EngineVerdict
}

extension EngineTranscript {
    package func usageAfterEnd() -> TokenUsage? { nil }
    package func transcriptAfterEnd() -> [UInt8] { [] }
    package func memoryAfterEnd() -> EngineMemory? { nil }
}

/// What an engine does, while it does it.
package enum EngineEvent: Sendable, Equatable {
    /// `percent` is of the engine's own work.
    case progress(step: String, percent: Int)
    case log(String)
    /// Replaces what was said before.
    case usage(TokenUsage)
    /// A step of a generation was done.
    case step(GenerationStep)
}

/// How a run ended.
package enum EngineVerdict: Sendable, Equatable {
    /// `summary` is what the engine says that it did, at most 4,000 characters.
    case finished(summary: String)
    case failed(JobFailure)
}
