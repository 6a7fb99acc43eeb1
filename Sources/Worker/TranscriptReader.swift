import Domain
import Engines
import Sandbox
import Synchronization

/// Hands an engine's output to its transcript on the sandbox's thread and passes on what that makes of it.
final class TranscriptReader: Sendable {
    private struct State {
        var transcript: any EngineTranscript
        var usage: TokenUsage?
    }

    private let state: Mutex<State>
    private let reporter: AttemptReporter

    init(_ transcript: any EngineTranscript, reporter: AttemptReporter) {
        state = Mutex(State(transcript: transcript))
        self.reporter = reporter
    }

    func read(_ output: SandboxOutput) {
        for event in state.withLock({ $0.transcript.read(output) }) {
            switch event {
            case .progress(let step, let percent):
                // The engine's own work is the middle part of the attempt's.
                reporter.progress(step, 10 + max(0, min(100, percent)) * 75 / 100)
            case .log(let text): reporter.write(text)
            case .usage(let usage): state.withLock { $0.usage = usage }
            case .step(let step): reporter.step(step)
            }
        }
    }

    /// May block.
    func judge(_ outcome: SandboxOutcome) -> (verdict: EngineVerdict, usage: TokenUsage) {
        state.withLock { state in
            let usage = state.usage ?? state.transcript.usageAfterEnd() ?? .zero
            return (state.transcript.judge(outcome), usage)
        }
    }
}
