package import FleetIdentity
import Synchronization

/// The identity that this agent uses now. A renewal replaces it while connections come and go.
package final class AgentIdentityHolder: Sendable {
    private struct State {
        var identity: AgentIdentity
        var nextTicket: UInt64 = 0
        var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
    }

    private let state: Mutex<State>

    package init(_ identity: AgentIdentity) {
        state = Mutex(State(identity: identity))
    }

    package var current: AgentIdentity { state.withLock { $0.identity } }

    package func replace(with identity: AgentIdentity) {
        let watchers = state.withLock { state in
            state.identity = identity
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.yield() }
    }

    /// An element for each replacement from now on; several at once may be one.
    package func replacements() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let ticket = state.withLock { state in
            state.nextTicket += 1
            state.watchers[state.nextTicket] = continuation
            return state.nextTicket
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.watchers.removeValue(forKey: ticket) }
        }
        return stream
    }
}
