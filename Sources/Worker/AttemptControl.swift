import Domain
import Sandbox
import Synchronization

/// How others stop an attempt, and until when it may run.
final class AttemptControl: Sendable {
    private struct State {
        var clock: LeaseClock<ContinuousClock.Instant>
        var reason: AttemptStop?
        var isLeft = false
        /// What runs for the attempt, once it does. It is told of every renewal, because it may outlive this agent.
        var task: SandboxTask?
    }

    private let state: Mutex<State>
    private let stopped: AsyncStream<Void>
    private let stopping: AsyncStream<Void>.Continuation

    init(leaseDuration: Duration, offeredAt: ContinuousClock.Instant) {
        state = Mutex(State(clock: LeaseClock(leaseDuration: leaseDuration, offeredAt: offeredAt)))
        (stopped, stopping) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// For an attempt whose earlier agent left it `remaining` time.
    convenience init(leaseDuration: Duration, remaining: Duration, now: ContinuousClock.Instant) {
        let fresh = LeaseClock(leaseDuration: leaseDuration, offeredAt: now)
        self.init(leaseDuration: leaseDuration, offeredAt: now + min(.zero, remaining - (fresh.deadline - now)))
    }

    func stop(_ reason: AttemptStop) {
        state.withLock { state in
            // What was left belongs to the next agent already.
            if !state.isLeft { state.reason = reason.joining(state.reason) }
        }
        stopping.yield()
        stopping.finish()
    }

    /// This agent ends; what runs goes on without it, and nothing is said about it. An attempt that is being stopped is
    /// stopped.
    func leave() {
        state.withLock { $0.isLeft = $0.reason == nil }
        stopping.yield()
        stopping.finish()
    }

    var reason: AttemptStop? { state.withLock { $0.reason } }

    /// Whether the attempt is left to the next agent.
    var isLeft: Bool { state.withLock { $0.isLeft } }

    /// How long the attempt may go on without a renewal.
    var remaining: Duration { state.withLock { max(.milliseconds(1), $0.clock.deadline - .now) } }

    func withClock(_ body: (inout LeaseClock<ContinuousClock.Instant>) -> Void) {
        let (task, remaining) = state.withLock { state in
            let before = state.clock.deadline
            body(&state.clock)
            return (state.clock.deadline == before ? nil : state.task, state.clock.deadline - .now)
        }
        task?.renew(for: remaining)
    }

    /// From now on `task` runs for the attempt.
    func own(_ task: SandboxTask) {
        let remaining = state.withLock { state in
            state.task = task
            return state.clock.deadline - .now
        }
        task.renew(for: remaining)
    }

    /// Ends what runs for the attempt; the attempt itself goes on and says why.
    func endTask() {
        let task = state.withLock { $0.task }
        task?.cancel()
    }

    /// Returns when the attempt is to stop: somebody said so, or its lease ran out. To be awaited once.
    func waitForStop() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in self.stopped { return } }
            group.addTask {
                let clock = ContinuousClock()
                while !Task.isCancelled {
                    let deadline = self.state.withLock { $0.clock.deadline }
                    if clock.now >= deadline { return self.stop(.leaseExpired) }
                    try? await Task.sleep(until: deadline, clock: clock)
                }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
