import Domain
import Synchronization

/// How others stop an attempt, and until when it may run.
final class AttemptControl: Sendable {
    enum StopReason: Sendable, Equatable {
        /// Somebody asked for it; the coordinator waits for the confirmation.
        case cancelled
        /// The lease belongs to nobody or to another host: say nothing.
        case leaseLost
        /// The coordinator was out of reach for too long.
        case leaseExpired
        /// This agent stops.
        case shutdown
    }

    private struct State {
        var clock: LeaseClock
        var reason: StopReason?
    }

    private let state: Mutex<State>
    private let stopped: AsyncStream<Void>
    private let stopping: AsyncStream<Void>.Continuation

    init(leaseDuration: Duration, offeredAt: ContinuousClock.Instant) {
        state = Mutex(State(clock: LeaseClock(leaseDuration: leaseDuration, offeredAt: offeredAt)))
        (stopped, stopping) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The first reason stays, but a lost lease silences every other.
    func stop(_ reason: StopReason) {
        state.withLock { state in
            if state.reason == nil || reason == .leaseLost { state.reason = reason }
        }
        stopping.yield()
        stopping.finish()
    }

    var reason: StopReason? { state.withLock { $0.reason } }

    func withClock(_ body: (inout LeaseClock) -> Void) { state.withLock { body(&$0.clock) } }

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
