import Dispatch
import Synchronization

/// Threads for calls that block (disk, libc), so that the cooperative pool never does.
///
/// At most `width` calls run at once, each on a thread of its own; the others wait in line without holding a thread.
package final class BlockingPool: Sendable {
    private let label: String
    private let slots: AsyncSlots
    /// Queues that nothing runs on. A concurrent queue would run no more calls at once than there are processors, even
    /// when all of them wait for the disk; a serial one always gets a thread.
    private let idle = Mutex<[DispatchQueue]>([])

    package init(label: String, width: Int) {
        precondition(width > 0, "a pool needs a thread")
        self.label = label
        slots = AsyncSlots(width)
    }

    /// Runs `body` on a thread of the pool. A task cancelled while it waits in line throws `CancellationError`;
    /// once begun, the call runs to its end.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await slots.acquire()
        defer { slots.release() }
        let queue = takeQueue()
        defer { idle.withLock { $0.append(queue) } }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }

    /// Runs `body` on a thread of the pool, in a cancelled task too: for what must be cleaned up.
    package func runEvenIfCancelled<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await slots.acquireEvenIfCancelled()
        defer { slots.release() }
        let queue = takeQueue()
        defer { idle.withLock { $0.append(queue) } }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }

    private func takeQueue() -> DispatchQueue { idle.withLock { $0.popLast() } ?? DispatchQueue(label: label) }
}
