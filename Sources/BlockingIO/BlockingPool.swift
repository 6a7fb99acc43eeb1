import Dispatch

/// Threads for calls that block (disk, libc), so that the cooperative pool never does.
///
/// At most `width` calls run at once; the others wait in line without holding a thread.
package final class BlockingPool: Sendable {
    private let queue: DispatchQueue
    private let slots: AsyncSlots

    package init(label: String, width: Int) {
        precondition(width > 0, "a pool needs a thread")
        queue = DispatchQueue(label: label, attributes: .concurrent)
        slots = AsyncSlots(width)
    }

    /// Runs `body` on a thread of the pool. A task cancelled while it waits in line throws `CancellationError`;
    /// once begun, the call runs to its end.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await slots.acquire()
        defer { slots.release() }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }

    /// Runs `body` on a thread of the pool, in a cancelled task too: for what must be cleaned up.
    package func runEvenIfCancelled<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await slots.acquireEvenIfCancelled()
        defer { slots.release() }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }
}
