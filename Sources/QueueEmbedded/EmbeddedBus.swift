package import Queue
import Synchronization

/// Signals within one program: for an installation of one coordinator, which has nobody to tell, and for coordinators
/// that share a ``Hub``.
package final class EmbeddedBus: CoordinatorBus {
    /// Where the buses of one program meet.
    package final class Hub: Sendable {
        fileprivate struct State {
            var next = 0
            var listeners: [Int: (bus: ObjectIdentifier, continuation: AsyncStream<CoordinatorSignal>.Continuation)] =
                [:]
        }

        fileprivate let state = Mutex(State())

        package init() {}
    }

    private static let signalsKept = 256

    private let hub: Hub

    package init(hub: Hub = Hub()) {
        self.hub = hub
    }

    package func publish(_ signal: CoordinatorSignal) {
        let listeners = hub.state.withLock { state in
            state.listeners.values.filter { $0.bus != ObjectIdentifier(self) }.map(\.continuation)
        }
        for listener in listeners {
            if case .dropped = listener.yield(signal) { listener.yield(.missed) }
        }
    }

    package func signals() -> AsyncStream<CoordinatorSignal> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: CoordinatorSignal.self, bufferingPolicy: .bufferingNewest(Self.signalsKept))
        let number = hub.state.withLock { state in
            state.next += 1
            state.listeners[state.next] = (ObjectIdentifier(self), continuation)
            return state.next
        }
        continuation.onTermination = { [weak hub] _ in
            _ = hub?.state.withLock { $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }
}
