import Domain
import Synchronization
import TestSupport
import Testing

@testable import RESTAPI

/// One read for many who ask at the same time, and never an old one.
@Suite(.timeLimit(.minutes(5))) struct JoinedReadsTests {
    /// Reads that begin when they are called and end when the test says so; each gives its number.
    private final class Desk: Sendable {
        private let begun = Atomic(0)
        private let gates: Mutex<[Int: CheckedContinuation<Void, any Error>]> = Mutex([:])

        var count: Int { begun.load(ordering: .sequentiallyConsistent) }

        func read() async throws -> Int {
            let number = begun.add(1, ordering: .sequentiallyConsistent).newValue
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    gates.withLock { $0[number] = continuation }
                    if Task.isCancelled { end(number, CancellationError()) }
                }
            } onCancel: {
                end(number, CancellationError())
            }
            return number
        }

        func end(_ number: Int, _ error: (any Error)? = nil) {
            let continuation = gates.withLock { $0.removeValue(forKey: number) }
            if let error { continuation?.resume(throwing: error) } else { continuation?.resume() }
        }

        /// Waits until the read of that number has begun.
        func waitForRead(_ number: Int) async throws {
            while gates.withLock({ $0[number] }) == nil { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    private final class Truth: Sendable {
        private let number = Atomic(0)
        var current: Int { number.load(ordering: .sequentiallyConsistent) }
        func change() { number.add(1, ordering: .sequentiallyConsistent) }
    }

    private typealias Reads = JoinedReads<String, Int>

    private static func waitForWaiting(_ reads: Reads, _ count: Int) async throws {
        while reads.waiting != count { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test("Who comes while a read is under way gets one that began afterwards, shared with who came as well")
    func sharing() async throws {
        let (reads, desk) = (Reads(patience: .seconds(600)), Desk())
        async let first = reads.read("a") { try await desk.read() }
        try await desk.waitForRead(1)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<10 { group.addTask { try await reads.read("a") { try await desk.read() } } }
            try await Self.waitForWaiting(reads, 10)
            #expect(desk.count == 1)
            desk.end(1)
            try await desk.waitForRead(2)
            // These ask while the second read is under way: not theirs either.
            for _ in 0..<5 { group.addTask { try await reads.read("a") { try await desk.read() } } }
            try await Self.waitForWaiting(reads, 9 + 5)
            desk.end(2)
            try await desk.waitForRead(3)
            desk.end(3)
            var numbers: [Int] = []
            for try await number in group { numbers.append(number) }
            #expect(numbers.sorted() == Array(repeating: 2, count: 10) + Array(repeating: 3, count: 5))
        }
        #expect(try await first == 1)
        #expect(desk.count == 3 && reads.waiting == 0)
    }

    @Test("Nobody ever gets what was read before they asked, however many ask and write")
    func freshness() async throws {
        let reads = Reads()
        let truth = Truth()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for _ in 0..<500 {
                    truth.change()
                    await Task.yield()
                }
            }
            for _ in 0..<16 {
                group.addTask {
                    for _ in 0..<100 {
                        let before = truth.current
                        let seen = try await reads.read("a") {
                            let value = truth.current
                            await Task.yield()
                            return value
                        }
                        #expect(seen >= before)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(reads.waiting == 0)
    }

    @Test("Reads of different things do not wait for each other")
    func keys() async throws {
        let (reads, desk) = (Reads(patience: .seconds(600)), Desk())
        async let first = reads.read("a") { try await desk.read() }
        try await desk.waitForRead(1)
        let other = try await reads.read("b") { 7 }
        #expect(other == 7)
        desk.end(1)
        #expect(try await first == 1)
    }

    @Test("A reader that is cancelled leaves the read to another who waits")
    func cancelledReader() async throws {
        let (reads, desk) = (Reads(patience: .seconds(600)), Desk())
        let first = Task { try await reads.read("a") { try await desk.read() } }
        try await desk.waitForRead(1)
        let others = (0..<3).map { _ in Task { try await reads.read("a") { try await desk.read() } } }
        try await Self.waitForWaiting(reads, 3)
        first.cancel()
        await #expect(throws: CancellationError.self) { _ = try await first.value }
        try await desk.waitForRead(2)
        #expect(reads.waiting == 2)
        desk.end(2)
        for other in others { #expect(try await other.value == 2) }
        #expect(desk.count == 2)
    }

    @Test("One of those who wait can go, and the others get their read")
    func cancelledWaiter() async throws {
        let (reads, desk) = (Reads(patience: .seconds(600)), Desk())
        async let first = reads.read("a") { try await desk.read() }
        try await desk.waitForRead(1)
        let impatient = Task { try await reads.read("a") { try await desk.read() } }
        try await Self.waitForWaiting(reads, 1)
        async let patient = reads.read("a") { try await desk.read() }
        try await Self.waitForWaiting(reads, 2)
        impatient.cancel()
        await #expect(throws: CancellationError.self) { _ = try await impatient.value }
        desk.end(1)
        try await desk.waitForRead(2)
        desk.end(2)
        #expect(try await first == 1)
        #expect(try await patient == 2)
    }

    @Test("A failure is shared by who shares the read, and is not kept")
    func failure() async throws {
        let (reads, desk) = (Reads(patience: .seconds(600)), Desk())
        async let first = reads.read("a") { try await desk.read() }
        try await desk.waitForRead(1)
        let others = (0..<2).map { _ in Task { try await reads.read("a") { try await desk.read() } } }
        try await Self.waitForWaiting(reads, 2)
        desk.end(1)
        #expect(try await first == 1)
        try await desk.waitForRead(2)
        desk.end(2, ServiceError(.unavailable, "the database is away"))
        for other in others {
            await #expect(throws: ServiceError.self) { _ = try await other.value }
        }
        #expect(try await reads.read("a") { 5 } == 5)
    }

    @Test("Nobody waits for a read that takes too long; the next reads beside it for all who wait")
    func patience() async throws {
        let (reads, desk) = (Reads(patience: .milliseconds(300)), Desk())
        async let stuck = reads.read("a") { try await desk.read() }
        try await desk.waitForRead(1)
        async let waiting = reads.read("a") { try await desk.read() }
        try await Self.waitForWaiting(reads, 1)
        try await Task.sleep(for: .milliseconds(400))
        async let next = reads.read("a") { try await desk.read() }
        try await desk.waitForRead(2)
        desk.end(2)
        #expect(try await next == 2)
        #expect(try await waiting == 2)
        desk.end(1)
        #expect(try await stuck == 1)
        #expect(try await reads.read("a") { 9 } == 9)
    }
}
