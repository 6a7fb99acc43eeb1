import Domain
import Queue
import Testing

/// What every job queue does; each test runs against every ``QueueDriver``.
@Suite struct JobQueueTests {
    private static let builtin = QueueLabel(.builtin)
    private static let codex = QueueLabel(.codex)

    private static func entry(_ number: Int64, _ label: QueueLabel = builtin, priority: Int = 0) -> QueueEntry {
        QueueEntry(job: JobID(at: Timestamp(millisecondsSinceEpoch: number)), label: label, priority: priority)
    }

    private static func takeAll(_ queue: any JobQueue, _ labels: Set<QueueLabel>) async throws -> [QueueEntry] {
        var entries: [QueueEntry] = []
        while case .entry(let entry) = try await queue.take(labels) { entries.append(entry) }
        return entries
    }

    @Test("Higher priorities come first, then the older job", arguments: QueueDriver.allCases)
    func order(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let entries = [(4, 0), (3, 5), (2, 0), (1, 5), (5, -7), (6, 1 << 40)].map {
                Self.entry($0.0, priority: $0.1)
            }
            try await queue.enqueue(entries, delay: .zero)
            let taken = try await Self.takeAll(queue, [Self.builtin])
            #expect(taken == [5, 3, 1, 2, 0, 4].map { entries[$0] })
        }
    }

    @Test("A job added twice comes once, with the later priority", arguments: QueueDriver.allCases)
    func twice(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let (first, second) = (Self.entry(1), Self.entry(2, priority: 1))
            try await queue.enqueue([first, second], delay: .zero)
            let raised = QueueEntry(job: first.job, label: first.label, priority: 2)
            try await queue.enqueue(raised)
            #expect(try await queue.count() == 2)
            #expect(try await Self.takeAll(queue, [Self.builtin]) == [raised, second])
        }
    }

    @Test("A taker gets only what its workers can do", arguments: QueueDriver.allCases)
    func labels(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let (one, two, three) = (Self.entry(1, Self.codex), Self.entry(2), Self.entry(3, Self.codex, priority: 1))
            try await queue.enqueue([one, two, three], delay: .zero)
            #expect(try await queue.depths() == [Self.codex: 2, Self.builtin: 1])
            #expect(try await queue.take([]) == .empty(nextAfter: nil))
            #expect(try await Self.takeAll(queue, [Self.builtin]) == [two])
            try await queue.enqueue(two)
            #expect(try await Self.takeAll(queue, [Self.builtin, Self.codex]) == [three, one, two])
            #expect(try await queue.count() == 0)
        }
    }

    @Test("A job that is added with another label is not under the old one", arguments: QueueDriver.allCases)
    func relabelled(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let entry = Self.entry(1)
            try await queue.enqueue(entry)
            let moved = QueueEntry(job: entry.job, label: Self.codex, priority: 0)
            try await queue.enqueue(moved)
            #expect(try await queue.take([Self.builtin]) == .empty(nextAfter: nil))
            #expect(try await queue.take([Self.codex]) == .entry(moved))
        }
    }

    @Test("A removed job does not come, delayed or not", arguments: QueueDriver.allCases)
    func removed(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            try await queue.enqueue(Self.entry(1))
            let delayed = Self.entry(2)
            try await queue.enqueue(delayed, delay: .milliseconds(1))
            for case .entry(let entry) in [try await queue.take([Self.builtin])] { try await queue.enqueue(entry) }
            for number in Int64(1)...3 { try await queue.remove(Self.entry(number).job) }
            try await queue.remove(delayed.job)
            #expect(try await queue.take([Self.codex]) == .empty(nextAfter: nil))
        }
    }

    @Test("Removing is of the job that was added", arguments: QueueDriver.allCases)
    func removedByName(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let (one, two, three) = (Self.entry(1), Self.entry(2), Self.entry(3, Self.codex))
            try await queue.enqueue([one, two, three], delay: .zero)
            try await queue.remove(one.job)
            try await queue.enqueue(three, delay: .seconds(3600))
            try await queue.remove(three.job)
            #expect(try await Self.takeAll(queue, [Self.builtin, Self.codex]) == [two])
            #expect(try await queue.count() == 0)
        }
    }

    @Test("A delayed job comes when it is due, and not before", arguments: QueueDriver.allCases)
    func delayed(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let (later, now) = (Self.entry(1, priority: 9), Self.entry(2))
            let start = ContinuousClock.now
            try await queue.enqueue(later, delay: .milliseconds(1500))
            try await queue.enqueue(now)
            #expect(try await queue.count() == 2)
            // On a machine that is slow enough the delay is over already; then there is nothing to see.
            let first = try await queue.take([Self.builtin])
            #expect(first == .entry(now) || ContinuousClock.now - start > .milliseconds(1400))
            if case .empty(let nextAfter) = try await queue.take([Self.builtin]) {
                let rest = try #require(nextAfter)
                #expect(rest > .zero && rest <= .milliseconds(1500))
            }
            let taken = try await queue.dequeue([Self.builtin], timeout: .seconds(60))
            #expect(taken == later || first == .entry(later))
            // Clocks of a server count in milliseconds.
            #expect(ContinuousClock.now - start >= .milliseconds(1495))
        }
    }

    @Test("Restoring adds what is missing and leaves the rest as it is", arguments: QueueDriver.allCases)
    func restore(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let (known, delayed, missing) = (Self.entry(1, priority: 5), Self.entry(2), Self.entry(3, priority: 1))
            try await queue.enqueue(known)
            try await queue.enqueue(delayed, delay: .seconds(3600))
            let other = QueueEntry(job: known.job, label: known.label, priority: -5)
            try await queue.restore([other, delayed, missing])
            try await queue.restore([missing])
            #expect(try await queue.count() == 3)
            #expect(try await Self.takeAll(queue, [Self.builtin]) == [known, missing])
        }
    }

    @Test("Many jobs are added in one go", arguments: QueueDriver.allCases)
    func bulk(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let entries = (0..<3000).map { Self.entry(Int64($0), priority: $0 % 7) }
            try await queue.restore(entries.shuffled())
            #expect(try await queue.depths() == [Self.builtin: 3000])
            let expected = entries.sorted { ($1.priority, $0.job) < ($0.priority, $1.job) }
            #expect(try await Self.takeAll(queue, [Self.builtin]) == expected)
        }
    }

    @Test("A waiting taker gets the job that another coordinator adds", arguments: QueueDriver.allCases)
    func waiting(driver: QueueDriver) async throws {
        try await driver.withTwoQueues { one, other in
            let entry = Self.entry(1)
            async let taken = one.dequeue([Self.builtin], timeout: .seconds(60))
            try await Task.sleep(for: .milliseconds(50))
            try await other.enqueue(Self.entry(2, Self.codex))
            try await other.enqueue(entry)
            #expect(try await taken == entry)
        }
    }

    @Test("A wait ends at its time limit", arguments: QueueDriver.allCases)
    func timeLimit(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let taken = try await queue.dequeue([Self.builtin], timeout: .milliseconds(10))
            #expect(taken == nil)
        }
    }

    @Test("A cancelled wait ends and loses no job", arguments: QueueDriver.allCases)
    func cancelled(driver: QueueDriver) async throws {
        try await driver.withQueue { queue in
            let waiter = Task { try await queue.dequeue([Self.builtin], timeout: .seconds(600)) }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            let entry = Self.entry(1)
            try await queue.enqueue(entry)
            #expect(try await queue.dequeue([Self.builtin], timeout: .seconds(60)) == entry)
        }
    }

    @Test("Of many takers each job has one", arguments: QueueDriver.allCases)
    func manyTakers(driver: QueueDriver) async throws {
        try await driver.withTwoQueues { one, other in
            let entries = (0..<200).map { Self.entry(Int64($0)) }
            let taken = try await withThrowingTaskGroup(of: QueueEntry?.self) { group in
                for number in entries.indices {
                    let queue = number % 2 == 0 ? one : other
                    group.addTask { try await queue.dequeue([Self.builtin], timeout: .seconds(60)) }
                }
                for entry in entries { try await other.enqueue(entry) }
                return try await group.reduce(into: [QueueEntry]()) { if let entry = $1 { $0.append(entry) } }
            }
            #expect(Set(taken) == Set(entries))
            #expect(taken.count == entries.count)
        }
    }
}
