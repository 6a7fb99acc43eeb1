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
}

/// One request, and where to carry it out.
package struct EngineTask: Sendable {
    package let prompt: String
    /// The folder of the site on this host.
    package let workspace: String
    /// An empty folder of this attempt alone, outside of the workspace.
    package let state: String
    package let limits: SandboxLimits
    /// A ``GenerationTask`` as JSON, when a site is to be made from a brief; the prompt is for people then.
    package let generation: String?

    package init(
        prompt: String, workspace: String, state: String, limits: SandboxLimits, generation: String? = nil
    ) {
        self.prompt = prompt
        self.workspace = workspace
        self.state = state
        self.limits = limits
        self.generation = generation
    }
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

    /// Judges the run after its end. Success says only that the engine believes in it: what changed is for the
    /// caller to find out.
    mutating func judge(_ outcome: SandboxOutcome) -> EngineVerdict
}

extension EngineTranscript {
    package func usageAfterEnd() -> TokenUsage? { nil }
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
