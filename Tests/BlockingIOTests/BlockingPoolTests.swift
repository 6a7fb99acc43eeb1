import BlockingIO
import Dispatch
import Testing

@Suite("A blocking pool")
struct BlockingPoolTests {
    private struct Refusal: Error, Equatable {}

    @Test("Hands back values and errors")
    func results() async throws {
        let pool = BlockingPool(label: "test", width: 2)
        #expect(try await pool.run { 7 } == 7)
        await #expect(throws: Refusal()) { try await pool.run { throw Refusal() } }
        #expect(await pool.runEvenIfCancelled { 8 } == 8)
    }

    @Test("Cancels who waits in line, but not who cleans up, nor who has begun", .timeLimit(.minutes(1)))
    func cancellation() async throws {
        let pool = BlockingPool(label: "test", width: 1)
        let begun = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
        let first = Task {
            try await pool.run {
                begun.signal()
                mayEnd.wait()
                return 1
            }
        }
        try await BlockingPool(label: "wait", width: 1).run { begun.wait() }
        first.cancel()
        let second = Task { try await pool.run { 2 } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        let third = Task { await pool.runEvenIfCancelled { 3 } }
        third.cancel()
        mayEnd.signal()
        #expect(try await first.value == 1)
        #expect(await third.value == 3)
    }

    @Test("Runs as many calls at once as it is wide, however few processors there are", .timeLimit(.minutes(1)))
    func width() async throws {
        let pool = BlockingPool(label: "test", width: 16)
        let present = DispatchSemaphore(value: 0)
        let all = DispatchSemaphore(value: 0)
        let calls = (0..<16).map { _ in
            Task {
                try await pool.run {
                    present.signal()
                    return all.wait(timeout: .now() + 50) == .success
                }
            }
        }
        try await BlockingPool(label: "wait", width: 1).run {
            // All sixteen are in their call before the first may leave it.
            for _ in 0..<16 { present.wait() }
            for _ in 0..<16 { all.signal() }
        }
        for call in calls { #expect(try await call.value) }
    }
}
