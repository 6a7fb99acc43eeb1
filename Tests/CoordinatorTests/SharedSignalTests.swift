import Coordinator
import Domain
import Queue
import QueueEmbedded
import TestSupport
import Testing

/// What is done at one coordinator is seen at another, with signals and, later, without.
@Suite struct SharedSignalTests {
    enum Signals: CaseIterable, Sendable {
        case bus, none
    }

    private static func withTwo(
        _ signals: Signals,
        _ body:
            @escaping @Sendable (SharedFleet, _ one: CoordinatorServices, _ other: CoordinatorServices) async throws
            -> Void
    ) async throws {
        try await SharedFleet.run { fleet in
            let hub = EmbeddedBus.Hub()
            let buses: [any CoordinatorBus] =
                signals == .bus ? [EmbeddedBus(hub: hub), EmbeddedBus(hub: hub)] : [SilentBus(), SilentBus()]
            try await fleet.withCoordinator(bus: buses[0]) { one in
                try await fleet.withCoordinator(bus: buses[1]) { other in try await body(fleet, one, other) }
            }
        }
    }

    /// Runs an agent in the background of `body`.
    private static func withAgent(
        _ agent: FrameAgent, on services: CoordinatorServices, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await agent.run(on: services) }
            try await SharedFleet.until { agent.isOpen }
            try await body()
            group.cancelAll()
        }
    }

    @Test("An event wakes those who wait at the other coordinator", arguments: Signals.allCases)
    func events(signals: Signals) async throws {
        try await Self.withTwo(signals) { fleet, one, other in
            var last = try await other.events.latestID()
            for number in 0..<3 {
                let changes = other.events.changes()
                _ = try await one.sites.create(
                    slug: "site-\(number)", name: "x", template: "plain", for: fleet.owner)
                // A wake-up may be about the time before; the next one is not far then.
                for await _ in changes {
                    let latest = try await other.events.latestID()
                    guard latest == last else {
                        last = latest
                        break
                    }
                }
            }
        }
    }

    @Test("What was promoted here is sent by the coordinator that has the host", arguments: Signals.allCases)
    func desiredState(signals: Signals) async throws {
        try await Self.withTwo(signals) { fleet, one, other in
            let agent = FrameAgent(host: try await fleet.addHost([.serving]), roles: [.serving])
            try await Self.withAgent(agent, on: other) {
                let site = try await one.sites.create(
                    slug: "shop", name: "Shop", template: "plain", for: fleet.owner)
                try await SharedFleet.until {
                    agent.heard.contains { message in
                        guard case .desired(let sites, _) = message else { return false }
                        return sites.contains { $0.site == site.site.id }
                    }
                }
            }
        }
    }

    @Test("A host that was revoked here loses its session there", arguments: Signals.allCases)
    func revoked(signals: Signals) async throws {
        try await Self.withTwo(signals) { fleet, one, other in
            let agent = FrameAgent(host: try await fleet.addHost([.worker]))
            try await Self.withAgent(agent, on: other) {
                _ = try await one.hosts.revoke(agent.host, for: fleet.owner)
                try await SharedFleet.until { agent.goodbye?.contains("revoked") == true }
            }
        }
    }

    @Test("A host that was drained here gets no work there, until it is resumed", arguments: Signals.allCases)
    func drained(signals: Signals) async throws {
        try await Self.withTwo(signals) { fleet, one, other in
            let agent = FrameAgent(host: try await fleet.addHost([.worker]))
            try await Self.withAgent(agent, on: other) {
                _ = try await one.hosts.drain(agent.host, for: fleet.owner)
                try await SharedFleet.until { other.workers.isDraining(agent.host) == true }
                let jobs = try await fleet.submitEdits(["shop"], to: one)
                #expect(agent.offers.isEmpty)
                _ = try await one.hosts.resume(agent.host, for: fleet.owner)
                try await SharedFleet.until { agent.offers.map(\.lease.job) == Array(jobs) }
            }
        }
    }

    @Test("A newer session elsewhere ends the older one here", arguments: Signals.allCases)
    func superseded(signals: Signals) async throws {
        try await Self.withTwo(signals) { fleet, one, other in
            let host = try await fleet.addHost([.worker])
            let (older, newer) = (FrameAgent(host: host), FrameAgent(host: host))
            try await Self.withAgent(older, on: one) {
                try await Self.withAgent(newer, on: other) {
                    try await SharedFleet.until { older.goodbye?.contains("newer session") == true }
                    try await SharedFleet.until { !older.isOpen }
                    #expect(newer.isOpen)
                    #expect(newer.goodbye == nil)
                }
            }
        }
    }

    @Test(
        "A job that was cancelled here is stopped by the coordinator that has the worker", arguments: Signals.allCases)
    func cancelled(signals: Signals) async throws {
        try await Self.withTwo(signals) { fleet, one, other in
            let agent = FrameAgent(host: try await fleet.addHost([.worker]), endsJobs: false)
            try await Self.withAgent(agent, on: other) {
                let jobs = try await fleet.submitEdits(["shop"], to: one)
                try await SharedFleet.until { !agent.offers.isEmpty }
                _ = try await one.jobs.cancel(try #require(jobs.first), for: fleet.owner)
                try await SharedFleet.until { agent.heard.contains(.cancel(agent.offers[0].lease)) }
            }
        }
    }

    @Test("A coordinator that stops sends its agents away, each with a delay of its own")
    func goodbye() async throws {
        try await Self.withTwo(.none) { fleet, one, _ in
            let agent = FrameAgent(host: try await fleet.addHost([.worker]))
            try await Self.withAgent(agent, on: one) {
                one.registry.closeAll(reason: "the coordinator stops")
                try await SharedFleet.until { agent.goodbye == "the coordinator stops" }
                try await SharedFleet.until { !agent.isOpen }
            }
        }
    }
}
