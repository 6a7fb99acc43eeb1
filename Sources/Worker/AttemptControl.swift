import Domain
import Synchronization

/// How others stop an attempt, and until when it may run.
final class AttemptControl: Sendable {
    private struct State {
        var clock: LeaseClock<ContinuousClock.Instant>
        var reason: AttemptStop?
    }

    private let state: Mutex<State>
    private let stopped: AsyncStream<Void>
    private let stopping: AsyncStream<Void>.Continuation

    init(leaseDuration: Duration, offeredAt: ContinuousClock.Instant) {
        state = Mutex(State(clock: LeaseClock(leaseDuration: leaseDuration, offeredAt: offeredAt)))
        (stopped, stopping) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func stop(_ reason: AttemptStop) {
        state.withLock { $0.reason = reason.joining($0.reason) }
        stopping.yield()
        stopping.finish()
    }

    var reason: AttemptStop? { state.withLock { $0.reason } }

    func withClock(_ body: (inout LeaseClock<ContinuousClock.Instant>) -> Void) { state.withLock { body(&$0.clock) } }

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
