package import Domain
import Synchronization

/// Where the coordinators of the fleet listen for agents. All of them know the same, so the agent needs any one; it stays
/// with one until that one fails it.
package final class CoordinatorAddresses: Sendable {
    private struct State {
        var index: Int
        var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextWatcher = 0
    }

    package let all: [CoordinatorAddress]
    private let state: Mutex<State>

    /// `text` is one address or several, separated by commas. Agents begin at different ones.
    package init(_ text: String) throws(ServiceError) {
        var addresses: [CoordinatorAddress] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let address = try CoordinatorAddress(String(part).trimmed)
            if !addresses.contains(address) { addresses.append(address) }
        }
        all = addresses
        state = Mutex(State(index: Int.random(in: 0..<max(1, addresses.count))))
    }

    /// The one to connect to now.
    package var current: CoordinatorAddress { state.withLock { all[$0.index] } }

    /// Goes on to the next one, if there is another and `failed` is still the current one.
    package func leave(_ failed: CoordinatorAddress) {
        let watchers = state.withLock { state -> [AsyncStream<Void>.Continuation] in
            guard all.count > 1, all[state.index] == failed else { return [] }
            state.index = (state.index + 1) % all.count
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.yield() }
    }

    /// Yields when the current one is another from now on.
    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = continuation
            return state.nextWatcher
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.watchers.removeValue(forKey: number) }
        }
        return stream
    }

    /// As it is kept in the agent's state.
    package var text: String { all.map(\.description).joined(separator: ",") }
}
