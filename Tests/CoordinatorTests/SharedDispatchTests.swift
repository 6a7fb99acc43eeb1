import Coordinator
import Domain
import Queue
import QueueEmbedded
import TestDatabases
import TestSupport
import Testing

/// Dispatch with several coordinators and a real Redis that is emptied, killed and stalled: later, and never less.
@Suite struct SharedDispatchTests {
    private static func slugs(_ count: Int) -> [String] { (0..<count).map { "site-\($0)" } }

    /// Runs `body` while an agent has a session.
    private static func withAgent(
        _ agent: FrameAgent, on services: CoordinatorServices, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            // A session that the test ends, or that is taken over, ends with an error.
            group.addTask { try? await agent.run(on: services) }
            try await SharedFleet.until { agent.isOpen }
            try await body()
            group.cancelAll()
        }
    }

    private static func waitForAll(_ jobs: Set<JobID>, at agents: [FrameAgent]) async throws {
        try await SharedFleet.until { jobs.isSubset(of: agents.flatMap { $0.offers.map(\.lease.job) }) }
    }

    @Test(
        "A job that was submitted here is offered by the coordinator that has the worker",
        arguments: TestDatabase.allCases)
    func elsewhere(on database: TestDatabase) async throws {
        try await RedisServer.run { server in
            try await SharedFleet.run(on: database) { fleet in
                try await fleet.withCoordinator(on: server) { one, _ in
                    try await fleet.withCoordinator(on: server) { other, _ in
                        let agent = FrameAgent(host: try await fleet.addHost([.worker]))
                        try await Self.withAgent(agent, on: other) {
                            let jobs = try await fleet.submitEdits(Self.slugs(5), to: one)
                            try await Self.waitForAll(jobs, at: [agent])
                        }
                    }
                }
            }
        }
    }

    @Test(
        "The same without any Redis: coordinators find each other's work in the database",
        arguments: TestDatabase.allCases)
    func withoutRedis(on database: TestDatabase) async throws {
        try await SharedFleet.run(on: database) { fleet in
            try await fleet.withCoordinator { one in
                try await fleet.withCoordinator { other in
                    let agent = FrameAgent(host: try await fleet.addHost([.worker]))
                    try await Self.withAgent(agent, on: other) {
                        let jobs = try await fleet.submitEdits(Self.slugs(5), to: one)
                        try await Self.waitForAll(jobs, at: [agent])
                    }
                }
            }
        }
    }

    @Test("Two coordinators never give one job to two workers, and every job ends", arguments: TestDatabase.allCases)
    func together(on database: TestDatabase) async throws {
        try await RedisServer.run { server in
            try await SharedFleet.run(on: database) { fleet in
                try await fleet.withCoordinator(on: server) { one, _ in
                    try await fleet.withCoordinator(on: server) { other, _ in
                        let agents = [
                            FrameAgent(host: try await fleet.addHost([.worker])),
                            FrameAgent(host: try await fleet.addHost([.worker])),
                        ]
                        let jobs = try await fleet.submitEdits(Self.slugs(40), to: one)
                        try await Self.withAgent(agents[0], on: one) {
                            try await Self.withAgent(agents[1], on: other) {
                                try await SharedFleet.until { try await one.ledger.counts()[.failed] == jobs.count }
                            }
                        }
                        let offers = agents.flatMap(\.offers)
                        #expect(offers.count == jobs.count)
                        #expect(offers.allSatisfy { $0.lease.attempt == 1 })
                    }
                }
            }
        }
    }

    @Test("A Redis that forgot all it had delays jobs and loses none", arguments: TestDatabase.allCases)
    func flushed(on database: TestDatabase) async throws {
        try await RedisServer.run { server in
            try await SharedFleet.run(on: database) { fleet in
                try await fleet.withCoordinator(on: server) { one, _ in
                    let jobs = try await fleet.submitEdits(Self.slugs(10), to: one)
                    #expect(try server.ask("ZCARD", "{pagewright}:ready:builtin") == "10")
                    try server.ask("FLUSHALL")
                    let agent = FrameAgent(host: try await fleet.addHost([.worker]))
                    try await Self.withAgent(agent, on: one) { try await Self.waitForAll(jobs, at: [agent]) }
                }
            }
        }
    }

    @Test("While Redis is dead jobs go on, and when it is back they do too", arguments: TestDatabase.allCases)
    func killed(on database: TestDatabase) async throws {
        try await RedisServer.run { server in
            try await SharedFleet.run(on: database) { fleet in
                try await fleet.withCoordinator(on: server) { one, client in
                    let agent = FrameAgent(host: try await fleet.addHost([.worker]))
                    try await Self.withAgent(agent, on: one) {
                        server.kill()
                        let jobs = try await fleet.submitEdits(Self.slugs(5), to: one)
                        try await Self.waitForAll(jobs, at: [agent])
                        try await server.start()
                        try await SharedFleet.until { client.isComplete }
                        let more = try await fleet.submitEdits(["again"], to: one)
                        try await Self.waitForAll(more, at: [agent])
                    }
                }
            }
        }
    }

    @Test("While Redis stalls jobs go on", arguments: TestDatabase.allCases)
    func stalled(on database: TestDatabase) async throws {
        try await RedisServer.run { server in
            try await SharedFleet.run(on: database) { fleet in
                try await fleet.withCoordinator(on: server) { one, client in
                    let agent = FrameAgent(host: try await fleet.addHost([.worker]))
                    try await Self.withAgent(agent, on: one) {
                        server.pause()
                        let jobs = try await fleet.submitEdits(Self.slugs(5), to: one)
                        try await Self.waitForAll(jobs, at: [agent])
                        server.resume()
                        try await SharedFleet.until { client.isComplete }
                        let more = try await fleet.submitEdits(["again"], to: one)
                        try await Self.waitForAll(more, at: [agent])
                    }
                }
            }
        }
    }

    @Test("What Redis says of a job that is none is no reason for anything", arguments: TestDatabase.allCases)
    func invented(on database: TestDatabase) async throws {
        try await RedisServer.run { server in
            try await SharedFleet.run(on: database) { fleet in
                try await fleet.withCoordinator(on: server) { one, _ in
                    let agent = FrameAgent(host: try await fleet.addHost([.worker]), slots: 1)
                    try await Self.withAgent(agent, on: one) {
                        let invented = JobID(at: Timestamp(millisecondsSinceEpoch: 1))
                        try server.ask(
                            "ZADD", "{pagewright}:ready:builtin", "-100", invented.text, "-99", "what is this")
                        let jobs = try await fleet.submitEdits(Self.slugs(3), to: one)
                        try await Self.waitForAll(jobs, at: [agent])
                        #expect(agent.offers.count == jobs.count)
                    }
                }
            }
        }
    }

    @Test("A job that needs another engine does not hold up the others", arguments: TestDatabase.allCases)
    func otherEngine(on database: TestDatabase) async throws {
        try await SharedFleet.run(on: database) { fleet in
            try await fleet.withCoordinator { one in
                for slug in Self.slugs(3) {
                    _ = try await one.sites.create(slug: slug, name: slug, template: "plain", for: fleet.owner)
                    _ = try await one.edits.submit(
                        prompt: "Hi", engine: "codex", baseVersion: nil, to: slug, for: fleet.owner)
                }
                let agent = FrameAgent(host: try await fleet.addHost([.worker]))
                try await Self.withAgent(agent, on: one) {
                    let jobs = try await fleet.submitEdits(["builtin"], to: one)
                    try await Self.waitForAll(jobs, at: [agent])
                    #expect(agent.offers.count == 1)
                }
            }
        }
    }
}
