import BlockingIO
import Synchronization
import Testing

@Suite("Slots")
struct AsyncSlotsTests {
    private final class Counter: Sendable {
        struct Counts {
            var now = 0
            var most = 0
            var total = 0
        }

        private let state = Mutex(Counts())
        var counts: Counts { state.withLock { $0 } }

        func enter() {
            state.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
                $0.total += 1
            }
        }

        func leave() {
            state.withLock { $0.now -= 1 }
        }
    }

    @Test("Never hold more tasks than there are slots, and let all through", .timeLimit(.minutes(1)))
    func bound() async throws {
        let slots = AsyncSlots(3)
        let inside = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    try await slots.acquire()
                    defer { slots.release() }
                    inside.enter()
                    await Task.yield()
                    inside.leave()
                }
            }
            try await group.waitForAll()
        }
        #expect(inside.counts.total == 500)
        #expect(inside.counts.most <= 3)
    }

    @Test("Are not lost to waiters that were cancelled", .timeLimit(.minutes(1)))
    func cancellation() async throws {
        let slots = AsyncSlots(2)
        for round in 0..<200 {
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<12 {
                    group.addTask {
                        if index.isMultiple(of: 4) {
                            await slots.acquireEvenIfCancelled()
                        } else {
                            guard (try? await slots.acquire()) != nil else { return }
                        }
                        for _ in 0..<(round % 4) { await Task.yield() }
                        slots.release()
                    }
                }
                for _ in 0..<(round % 7) { await Task.yield() }
                group.cancelAll()
            }
        }
        // Both are still there: neither call waits.
        try await slots.acquire()
        try await slots.acquire()
    }

    @Test("Refuse a waiter that is cancelled, and keep one that cleans up", .timeLimit(.minutes(1)))
    func cleanUp() async throws {
        let slots = AsyncSlots(1)
        try await slots.acquire()
        let waiter = Task { try await slots.acquire() }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        let cleaner = Task { await slots.acquireEvenIfCancelled() }
        cleaner.cancel()
        slots.release()
        await cleaner.value
        slots.release()
        try await slots.acquire()
    }
}
