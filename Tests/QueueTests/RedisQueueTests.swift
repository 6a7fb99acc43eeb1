import Domain
import Queue
import QueueRedis
import Redis
import TestSupport
import Testing

/// What only happens with a server: it forgets, it is gone, it holds what we did not put there.
@Suite struct RedisQueueTests {
    private static let label = QueueLabel(.builtin)
    private static let entry = QueueEntry(
        job: JobID(at: Timestamp(millisecondsSinceEpoch: 1)), label: label, priority: 0)

    @Test("A server that forgot everything is filled again")
    func flushed() async throws {
        try await QueueDriver.withTwoClients { one, _, keys in
            let queue = RedisJobQueue(client: one, keys: keys)
            try await queue.enqueue(Self.entry)
            _ = try await one.send(["FLUSHDB"])
            #expect(try await queue.take([Self.label]) == .empty(nextAfter: nil))
            try await queue.restore([Self.entry])
            #expect(try await queue.take([Self.label]) == .entry(Self.entry))
        }
    }

    @Test("Entries that are none of ours are thrown out")
    func foreign() async throws {
        try await QueueDriver.withTwoClients { one, _, keys in
            let queue = RedisJobQueue(client: one, keys: keys)
            _ = try await one.send(["ZADD", "{pagewright}:ready:builtin", "-9", "not a job", "inf", "nor this"])
            try await queue.enqueue(Self.entry)
            await #expect(throws: RedisError.self) { try await queue.take([Self.label]) }
            #expect(try await queue.take([Self.label]) == .entry(Self.entry))
            await #expect(throws: RedisError.self) { try await queue.take([Self.label]) }
            #expect(try await queue.take([Self.label]) == .empty(nextAfter: nil))
        }
    }

    @Test("A key of another type is an error, not an answer")
    func wrongType() async throws {
        try await QueueDriver.withTwoClients { one, _, keys in
            let queue = RedisJobQueue(client: one, keys: keys)
            _ = try await one.send(["SET", "{pagewright}:ready:builtin", "x"])
            await #expect(throws: RedisError.self) { try await queue.take([Self.label]) }
            await #expect(throws: RedisError.self) { try await queue.enqueue(Self.entry) }
        }
    }

    @Test("A queue whose server is gone says so at once, and is of use again when it is back")
    func gone() async throws {
        try await RedisServer.run { server in
            let keys = RedisKeys(database: 0)
            try await QueueDriver.withClient(server.address, keys) { client in
                let queue = RedisJobQueue(client: client, keys: keys)
                try await queue.enqueue(Self.entry)
                server.kill()
                try await QueueDriver.until { !client.isConnected }
                await #expect(throws: RedisError.self) { try await queue.take([Self.label]) }
                let changes = queue.changes()
                try await server.start()
                // Whoever waits is woken, because something may have been missed.
                for await _ in changes { break }
                try await QueueDriver.until { client.isComplete }
                try await queue.restore([Self.entry])
                #expect(try await queue.take([Self.label]) == .entry(Self.entry))
            }
        }
    }

    @Test("After a loss of the server everything counts as missed")
    func missed() async throws {
        try await RedisServer.run { server in
            let keys = RedisKeys(database: 0)
            try await QueueDriver.withClient(server.address, keys) { client in
                let bus = RedisBus(client: client, keys: keys)
                let signals = bus.signals()
                server.kill()
                try await QueueDriver.until { !client.isConnected }
                try await server.start()
                for await signal in signals {
                    #expect(signal == .missed)
                    break
                }
            }
        }
    }

    @Test("Signals that nobody would write are passed over")
    func strangeSignals() async throws {
        try await QueueDriver.withTwoClients { one, other, keys in
            let signals = RedisBus(client: one, keys: keys).signals()
            for payload in ["", "x", "x y", "x host", "x host nobody", "x events extra", "x host host_1 2", "x events"]
            {
                _ = try await other.send(["PUBLISH", keys.signalChannel, payload])
            }
            for await signal in signals {
                #expect(signal == .events)
                break
            }
        }
    }

    @Test("Attempts are counted for all coordinators together, and forgiven")
    func attempts() async throws {
        try await QueueDriver.withTwoClients { one, other, keys in
            let counters = [one, other].map { RedisAttemptCounters(client: $0, keys: keys) }
            let attempt = CountedAttempt(key: "a", burst: 4, interval: .seconds(600))
            let roomy = CountedAttempt(key: "b", burst: 100, interval: .seconds(600))
            for number in 0..<4 { #expect(try await counters[number % 2].admit([attempt, roomy]) == nil) }
            let wait = try #require(try await counters[0].admit([roomy, attempt]))
            #expect(wait > .seconds(500) && wait <= .seconds(600))
            try await counters[1].forgive(attempt)
            #expect(try await counters[0].admit([attempt]) == nil)
            #expect(try await counters[0].admit([attempt]) != nil)
            try await counters[0].forget("a")
            #expect(try await counters[1].admit([attempt]) == nil)
            // What nobody asks for any more goes away by itself.
            #expect(try #require(try await one.send(["PTTL", "{pagewright}:attempts:a"]).integer) > 0)
        }
    }
}
