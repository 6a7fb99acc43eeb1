import Database
import Synchronization

/// Waits until everything that was committed is on the server's disk, for many transactions at once.
///
/// A writer's own COMMIT does not wait for the disk, so that its locks are free again after microseconds instead of
/// after a write to the disk, and the next transaction of the same site or counter need not wait for that. Before the
/// writer reports success it waits here: one empty transaction of an ordinary session, which comes later in the
/// server's log than all that wait for it, is committed durably; and on every standby server that commits wait for.
/// One such commit is under way at a time and those that come meanwhile share the next, so a busy server writes its
/// disk once for many transactions. A reader that saw what is not on the disk yet waits here too, so nobody acts on
/// what a crash could take back.
final class CommitBarrier: Sendable {
    private struct State {
        var isRunning = false
        var waiting: [CheckedContinuation<Void, any Error>] = []
    }

    private let pool: PostgresPool
    private let limit: Duration
    private let state = Mutex(State())

    init(_ pool: PostgresPool, limit: Duration) {
        self.pool = pool
        self.limit = limit
    }

    /// Returns when all that was committed before this call is durable. Not stopped by the end of the task. Throws
    /// ``SQLError`` `outcomeUnknown` when the server was lost meanwhile: a crash may have taken the commits back.
    func pass() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiting.append(continuation)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            // The rounds serve many tasks and outlive the one that began them; they end when nobody waits.
            if isFirst { Task { await self.runRounds() } }
        }
    }

    private func runRounds() async {
        while true {
            let served = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isRunning = false }
                return state.waiting
            }
            if served.isEmpty { return }
            let result = await flush()
            for continuation in served { continuation.resume(with: result) }
        }
    }

    private func flush() async -> Result<Void, any Error> {
        do {
            try await pool.withConnection { connection in
                _ = connection.takeWarning()
                // A message in the log that nobody reads: a transaction that writes nothing would not be waited for.
                let answers = try await connection.run(
                    [
                        PostgresStatement(text: "BEGIN"),
                        PostgresStatement(text: "SELECT pg_logical_emit_message(true, 'pagewright', '')"), .commit,
                    ], within: limit, isCancellable: false)
                guard answers.last?.tag == "COMMIT" else { throw SQLError(.other, "the server did not commit") }
                // It is on this server's disk, but the wait for its standby was broken off.
                if let warning = connection.takeWarning() { throw SQLError(.other, warning) }
            }
            return .success(())
        } catch {
            let reason = (error as? SQLError)?.message ?? "\(error)"
            return .failure(
                SQLError(
                    .outcomeUnknown, "the server was lost before the transaction was known to be on its disk: \(reason)"
                ))
        }
    }
}
