import Domain
import Synchronization

/// Tells any number of waiting tasks that there is something new. Wake-ups that nobody fetched yet become one, so a
/// slow task costs no memory; each task reads the truth from the database.
package final class WakeUps: Sendable {
    private struct Subscriber {
        let host: HostID?
        let continuation: AsyncStream<Void>.Continuation
    }

    private struct State {
        var nextSubscriber = 0
        var subscribers: [Int: Subscriber] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package func announce() {
        for subscriber in state.withLock({ Array($0.subscribers.values) }) { subscriber.continuation.yield() }
    }

    /// Wakes only those who wait for one of these hosts.
    func announce(to hosts: Set<HostID>) {
        let concerned = state.withLock { state in
            state.subscribers.values.filter { $0.host.map(hosts.contains) ?? true }
        }
        for subscriber in concerned { subscriber.continuation.yield() }
    }

    /// Yields after every ``announce()`` from now on. Ends with the task that iterates it.
    package func changes() -> AsyncStream<Void> { changes(of: nil) }

    /// The same for a task that works for one host.
    func changes(of host: HostID?) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.nextSubscriber += 1
            state.subscribers[state.nextSubscriber] = Subscriber(host: host, continuation: continuation)
            return state.nextSubscriber
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.subscribers.removeValue(forKey: number) }
        }
        return stream
    }
}
