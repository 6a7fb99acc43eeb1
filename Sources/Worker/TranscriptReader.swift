import Domain
import Engines
import Sandbox
import Synchronization

/// Hands an engine's output to its transcript on the task's thread and passes on what that makes of it.
///
/// A task that an earlier agent started is read again from its beginning, because a transcript must see all of it; what
/// that agent had written into the job's log is not written twice.
final class TranscriptReader: Sendable {
    private struct State {
        var transcript: any EngineTranscript
        var usage: TokenUsage?
        /// How far the output was read.
        var position: Int64 = 0
    }

    private let state: Mutex<State>
    private let reporter: AttemptReporter
    private let log: JobLog
    /// What comes up to here is in the job's log.
    private let knownUpTo: Int64

    init(_ transcript: any EngineTranscript, reporter: AttemptReporter, log: JobLog) {
        state = Mutex(State(transcript: transcript))
        self.reporter = reporter
        self.log = log
        knownUpTo = log.read
    }

    /// - Parameter position: of ``SandboxTask/waitForEnd(keepsRunning:onOutput:)``.
    func read(_ output: SandboxOutput, position: Int64) {
        let (events, complete) = state.withLock { state in
            // Lines of one record share its position; when the next record comes, all of them were written.
            let complete = position > state.position ? state.position : nil
            state.position = position
            return (state.transcript.read(output), complete)
        }
        if let complete, complete > knownUpTo { log.noteRead(complete) }
        for event in events {
            switch event {
            case .progress(let step, let percent):
                // The engine's own work is the middle part of the attempt's.
                reporter.progress(step, 10 + max(0, min(100, percent)) * 75 / 100)
            case .log(let text): if position > knownUpTo { reporter.write(text) }
            case .usage(let usage): state.withLock { $0.usage = usage }
            case .step(let step): reporter.step(step)
            }
        }
    }

    /// May block.
    func judge(_ outcome: SandboxOutcome) -> EngineResult {
        state.withLock { state in
            let usage = state.usage ?? state.transcript.usageAfterEnd() ?? .zero
            let verdict = state.transcript.judge(outcome)
            return EngineResult(
                verdict: verdict, usage: usage, transcript: state.transcript.transcriptAfterEnd(),
                memory: state.transcript.memoryAfterEnd())
        }
    }
}

/// What one run of an engine came to.
struct EngineResult: Sendable {
    let verdict: EngineVerdict
    let usage: TokenUsage
    let transcript: [UInt8]
    let memory: EngineMemory?
}
