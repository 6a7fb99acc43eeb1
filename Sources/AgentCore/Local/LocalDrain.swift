package import BlockingIO
import FleetIdentity
import Synchronization

/// Whether somebody on this host asked for no new jobs. Kept on disk, so that it outlives the agent.
package final class LocalDrain: Sendable {
    private static let name = "drained"

    private let folder: DurableFolder
    private let pool: BlockingPool
    private let state: Mutex<(isDrained: Bool, watchers: [Int: AsyncStream<Void>.Continuation], next: Int)>

    /// `directory` is the agent's state folder.
    package init(directory: String, pool: BlockingPool) async throws {
        folder = DurableFolder(path: directory)
        self.pool = pool
        let folder = folder
        let isDrained = try await pool.run { try folder.read(Self.name) != nil }
        state = Mutex((isDrained, [:], 0))
    }

    package var isDrained: Bool { state.withLock { $0.isDrained } }

    package func set(_ isDrained: Bool) async throws {
        try await pool.run { [folder] in
            if isDrained { try folder.write([], to: Self.name) } else { try folder.remove(Self.name) }
        }
        let watchers = state.withLock { state in
            state.isDrained = isDrained
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.yield() }
    }

    /// An element for each change from now on.
    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.next += 1
            state.watchers[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.watchers.removeValue(forKey: number) }
        }
        return stream
    }
}

extension LocalDrain: LocalAnswering {
    package func answer(_ request: LocalRequest) async throws -> [UInt8]? {
        switch request.verb {
        case .drain:
            try await set(true)
            return try encoded(
                LocalWord(text: "This host takes no new jobs. What runs goes on; sites are served as before."))
        case .resume:
            try await set(false)
            return try encoded(LocalWord(text: "This host takes jobs again."))
        default:
            return nil
        }
    }
}
