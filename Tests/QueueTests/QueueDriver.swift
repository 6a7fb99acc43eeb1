import Domain
import Logging
import Queue
import QueueEmbedded
import QueueRedis
import Redis
import TestSupport
import Testing

/// Every driver of the queue, of the bus and of what belongs to them.
enum QueueDriver: CaseIterable, Sendable {
    case embedded, redis

    /// Two queues on the same data, as two coordinators have them, with nothing in it.
    func withTwoQueues(
        _ body: @escaping @Sendable (_ one: any JobQueue, _ other: any JobQueue) async throws -> Void
    ) async throws {
        switch self {
        case .embedded:
            let queue = EmbeddedJobQueue()
            try await body(queue, queue)
        case .redis:
            try await Self.withTwoClients { one, other, keys in
                try await body(RedisJobQueue(client: one, keys: keys), RedisJobQueue(client: other, keys: keys))
            }
        }
    }

    func withQueue(_ body: @escaping @Sendable (any JobQueue) async throws -> Void) async throws {
        try await withTwoQueues { queue, _ in try await body(queue) }
    }

    func withTwoBuses(
        _ body: @escaping @Sendable (_ one: any CoordinatorBus, _ other: any CoordinatorBus) async throws -> Void
    ) async throws {
        switch self {
        case .embedded:
            let hub = EmbeddedBus.Hub()
            try await body(EmbeddedBus(hub: hub), EmbeddedBus(hub: hub))
        case .redis:
            try await Self.withTwoClients { one, other, keys in
                let buses = [RedisBus(client: one, keys: keys), RedisBus(client: other, keys: keys)]
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for bus in buses { group.addTask { try await bus.run() } }
                    try await body(buses[0], buses[1])
                    group.cancelAll()
                }
            }
        }
    }

    static func withTwoClients(
        _ body: @escaping @Sendable (RedisClient, RedisClient, RedisKeys) async throws -> Void
    ) async throws {
        let (address, number) = try await RedisServer.emptyDatabase()
        let keys = RedisKeys(database: number)
        try await withClient(address, keys) { one in
            try await withClient(address, keys) { other in try await body(one, other, keys) }
        }
    }

    /// Runs a client that is connected when `body` begins.
    static func withClient(
        _ address: String, _ keys: RedisKeys, _ body: @escaping @Sendable (RedisClient) async throws -> Void
    ) async throws {
        // Patient: what is tested here is not the clock, and the machine may be busy.
        let client = try RedisClient(
            RedisConfiguration(address: try RedisAddress(address), timeLimit: .seconds(10)),
            channels: [keys.queueChannel, keys.signalChannel],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            try await until { client.isComplete }
            try await body(client)
            group.cancelAll()
        }
    }

    static func until(_ limit: Duration = .seconds(60), _ holds: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !holds() {
            try #require(ContinuousClock.now < deadline, "waited too long")
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
