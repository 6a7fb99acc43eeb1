import Database
import Synchronization

/// Transactions that were done one behind the other and are committed as one: the disk is written once for all of them.
///
/// Each of them is reported when the commit is on the disk, or not at all.
final class SharedCommit: Sendable {
    private struct State {
        var outcome: Result<Void, any Error>?
        var waiting: [CheckedContinuation<Void, any Error>] = []
        var count = 0
    }

    private let state = Mutex(State())

    /// How many transactions are in it.
    var count: Int { state.withLock { $0.count } }

    /// One more transaction is in it; to be called by the one who has the turn to write. Returns whether it is the first.
    func join() -> Bool {
        state.withLock { state in
            state.count += 1
            return state.count == 1
        }
    }

    /// Waits for the end; not stopped by the end of the task.
    func wait() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let outcome = state.withLock { state in
                if state.outcome == nil { state.waiting.append(continuation) }
                return state.outcome
            }
            if let outcome { continuation.resume(with: outcome) }
        }
    }

    /// It is on the disk, or nothing of it is.
    func finish(_ outcome: Result<Void, any Error>) {
        let waiting = state.withLock { state in
            state.outcome = outcome
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(with: outcome) }
    }
}
