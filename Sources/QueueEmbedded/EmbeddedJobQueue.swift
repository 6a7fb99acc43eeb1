package import Domain
import Queue
import Synchronization

/// The queue of a one-coordinator installation: in memory, and filled from the database at start.
package final class EmbeddedJobQueue: JobQueue {
    private struct Entry {
        let job: JobID
        let priority: Int
    }

    private struct State {
        var entries: [Entry] = []
        var waiters: [(ticket: UInt64, continuation: CheckedContinuation<JobID?, Never>)] = []
        var nextTicket: UInt64 = 0
        /// Waits that ended before they began.
        var ended: Set<UInt64> = []
    }

    private let state = Mutex(State())

    package init() {}

    package func enqueue(_ job: JobID, priority: Int) async throws {
        let waiter = state.withLock { state -> CheckedContinuation<JobID?, Never>? in
            guard !state.entries.contains(where: { $0.job == job }) else { return nil }
            if !state.waiters.isEmpty { return state.waiters.removeFirst().continuation }
            let position = state.entries.firstIndex { $0.priority < priority } ?? state.entries.count
            state.entries.insert(Entry(job: job, priority: priority), at: position)
            return nil
        }
        waiter?.resume(returning: job)
    }

    package func dequeue(timeout: Duration) async throws -> JobID? {
        try Task.checkCancellation()
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let job = await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Cancelled when the job came first.
                    try? await Task.sleep(for: timeout)
                    self.endWait(ticket)
                }
                let job = await self.wait(ticket)
                group.cancelAll()
                return job
            }
        } onCancel: {
            endWait(ticket)
        }
        state.withLock { _ = $0.ended.remove(ticket) }
        if job == nil { try Task.checkCancellation() }
        return job
    }

    package func remove(_ job: JobID) async throws {
        state.withLock { $0.entries.removeAll { $0.job == job } }
    }

    package func count() async throws -> Int { state.withLock { $0.entries.count } }

    private func wait(_ ticket: UInt64) async -> JobID? {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> JobID?? in
                if !state.entries.isEmpty { return .some(state.entries.removeFirst().job) }
                if state.ended.remove(ticket) != nil { return .some(nil) }
                state.waiters.append((ticket, continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func endWait(_ ticket: UInt64) {
        let waiter = state.withLock { state -> CheckedContinuation<JobID?, Never>? in
            guard let index = state.waiters.firstIndex(where: { $0.ticket == ticket }) else {
                state.ended.insert(ticket)
                return nil
            }
            return state.waiters.remove(at: index).continuation
        }
        waiter?.resume(returning: nil)
    }
}
