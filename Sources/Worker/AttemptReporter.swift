import Domain
import Synchronization

/// Tells the coordinator how an attempt goes, never faster than the session bears: progress is overwritten by newer
/// progress, and the log falls behind and says how much was lost.
final class AttemptReporter: Sendable {
    private struct State {
        var step = "Waiting for the worker"
        var percent = 0
        var isProgressDue = false
        var logPosition: Int64 = 0
        /// Bytes that the ring has lost and that were not told yet.
        var droppedBytes: Int64 = 0
        /// Steps of a generation, all of them; those from `stepsSent` on were not said yet.
        var steps: [GenerationStep] = []
        var stepsSent = 0
    }

    private static let frameSize = 16 << 10
    private static let framesPerTurn = 4
    private static let pause = Duration.milliseconds(200)
    /// How much of the end of the log is still sent when an attempt ends.
    private static let finalSize: Int64 = 128 << 10

    private let lease: JobLease
    private let outbox: OutboxSlot
    private let log: JobLog
    private let state: Mutex<State>
    private let wakes: AsyncStream<Void>
    private let waking: AsyncStream<Void>.Continuation

    init(lease: JobLease, outbox: OutboxSlot, log: JobLog) {
        self.lease = lease
        self.outbox = outbox
        self.log = log
        // An earlier agent may have told a part of it.
        state = Mutex(State(logPosition: log.sent))
        (wakes, waking) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var progress: (step: String, percent: Int) { state.withLock { ($0.step, $0.percent) } }

    /// Progress never falls and never says more than 100.
    func progress(_ step: String, _ percent: Int) {
        state.withLock { state in
            let percent = max(state.percent, min(100, percent))
            guard step != state.step || percent != state.percent else { return }
            state.step = step
            state.percent = percent
            state.isProgressDue = true
        }
        waking.yield()
    }

    /// Every step of a generation that was done so far.
    var steps: [GenerationStep] { state.withLock { $0.steps } }

    /// A step that is one too many is forgotten: it has no effect but that it is not shown.
    func step(_ step: GenerationStep) {
        state.withLock { if $0.steps.count < GenerationStep.countLimit { $0.steps.append(step) } }
        waking.yield()
    }

    /// May be called from any thread; writes to the disk.
    func write(_ text: String) {
        guard !text.isEmpty else { return }
        log.append(text)
        waking.yield()
    }

    /// A new session knows nothing yet.
    func sessionOpened() {
        state.withLock { $0.isProgressDue = true }
        waking.yield()
    }

    /// Sends what is due until the task is cancelled.
    func run() async {
        for await _ in wakes {
            if flush(frames: Self.framesPerTurn) { waking.yield() }
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// Sends what is still to be said, as far as the session takes it.
    func finish() {
        let end = log.size
        state.withLock { state in
            if end - state.logPosition > Self.finalSize {
                state.droppedBytes += end - Self.finalSize - state.logPosition
                state.logPosition = end - Self.finalSize
            }
        }
        _ = flush(frames: Int(Self.finalSize) / Self.frameSize + 1)
    }

    /// Whether there is more to send.
    private func flush(frames: Int) -> Bool {
        let due = state.withLock { state -> (String, Int)? in
            guard state.isProgressDue else { return nil }
            state.isProgressDue = false
            return (state.step, state.percent)
        }
        if let due, !outbox.send(.progress(lease, step: due.0, percent: due.1)) {
            state.withLock { $0.isProgressDue = true }
            return false
        }
        while let step = state.withLock({ $0.stepsSent < $0.steps.count ? $0.steps[$0.stepsSent] : nil }) {
            guard outbox.send(.step(lease, step)) else { return false }
            state.withLock { $0.stepsSent += 1 }
        }
        for _ in 0..<frames {
            let (position, before) = state.withLock { ($0.logPosition, $0.droppedBytes) }
            guard position < log.size else { return false }
            let piece = log.read(from: position, limit: Self.frameSize)
            let dropped = before + piece.droppedBytes
            guard outbox.send(.log(lease, text: piece.text, droppedBytes: dropped)) else { return false }
            state.withLock { state in
                state.logPosition = piece.next
                state.droppedBytes = 0
            }
            log.noteSent(piece.next)
        }
        return state.withLock { $0.logPosition } < log.size
    }
}
