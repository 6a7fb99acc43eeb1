import Domain
import Queue
import QueueEmbedded
import Testing

/// What every job queue does; more drivers join the list of ``QueueDriver``.
@Suite struct JobQueueTests {
    enum QueueDriver: CaseIterable {
        case embedded

        func make() -> any JobQueue {
            switch self {
            case .embedded: EmbeddedJobQueue()
            }
        }
    }

    private static func job(_ number: Int64) -> JobID { JobID(at: Timestamp(millisecondsSinceEpoch: number)) }

    @Test("Higher priorities come first, then the older entry", arguments: QueueDriver.allCases)
    func order(driver: QueueDriver) async throws {
        let queue = driver.make()
        let jobs = (1...4).map { Self.job(Int64($0)) }
        try await queue.enqueue(jobs[0], priority: 0)
        try await queue.enqueue(jobs[1], priority: 5)
        try await queue.enqueue(jobs[2], priority: 0)
        try await queue.enqueue(jobs[3], priority: 5)
        var order: [JobID?] = []
        for _ in 0..<4 { order.append(try await queue.dequeue(timeout: .seconds(1))) }
        #expect(order == [jobs[1], jobs[3], jobs[0], jobs[2]])
    }

    @Test("A job added twice comes once", arguments: QueueDriver.allCases)
    func twice(driver: QueueDriver) async throws {
        let queue = driver.make()
        let job = Self.job(1)
        try await queue.enqueue(job, priority: 0)
        try await queue.enqueue(job, priority: 0)
        #expect(try await queue.count() == 1)
        #expect(try await queue.dequeue(timeout: .seconds(1)) == job)
        #expect(try await queue.dequeue(timeout: .milliseconds(10)) == nil)
    }

    @Test("A waiting taker gets the job that comes", arguments: QueueDriver.allCases)
    func waiting(driver: QueueDriver) async throws {
        let queue = driver.make()
        let job = Self.job(1)
        async let taken = queue.dequeue(timeout: .seconds(30))
        try await queue.enqueue(job, priority: 0)
        #expect(try await taken == job)
    }

    @Test("A removed job does not come", arguments: QueueDriver.allCases)
    func removed(driver: QueueDriver) async throws {
        let queue = driver.make()
        try await queue.enqueue(Self.job(1), priority: 0)
        try await queue.remove(try #require(try await peek(queue)))
        #expect(try await queue.count() == 0)
    }

    private func peek(_ queue: any JobQueue) async throws -> JobID? {
        let job = try await queue.dequeue(timeout: .seconds(1))
        if let job { try await queue.enqueue(job, priority: 0) }
        return job
    }

    @Test("A cancelled wait ends and loses no job", arguments: QueueDriver.allCases)
    func cancelled(driver: QueueDriver) async throws {
        let queue = driver.make()
        let waiter = Task { try await queue.dequeue(timeout: .seconds(600)) }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        let job = Self.job(1)
        try await queue.enqueue(job, priority: 0)
        #expect(try await queue.dequeue(timeout: .seconds(1)) == job)
    }

    @Test("Of many takers each job has one", arguments: QueueDriver.allCases)
    func manyTakers(driver: QueueDriver) async throws {
        let queue = driver.make()
        let jobs = (0..<200).map { Self.job(Int64($0)) }
        let taken = try await withThrowingTaskGroup(of: JobID?.self) { group in
            for _ in jobs { group.addTask { try await queue.dequeue(timeout: .seconds(30)) } }
            for job in jobs { try await queue.enqueue(job, priority: 0) }
            return try await group.reduce(into: [JobID]()) { if let job = $1 { $0.append(job) } }
        }
        #expect(Set(taken) == Set(jobs))
        #expect(taken.count == jobs.count)
    }
}
