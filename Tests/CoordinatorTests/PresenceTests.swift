import Domain
import TestDatabases
import Testing

@testable import Coordinator

/// What one coordinator knows of the sessions of another one on the same database.
@Suite struct PresenceTests {
    private let start = ContinuousClock.now

    private func connect(_ host: HostID, epoch: Int64 = 1, slots: Int, to services: CoordinatorServices) {
        services.registry.add(host, epoch: epoch) { _, _ in }
        services.registry.setDisk(host, epoch: epoch, free: 40, total: 100)
        services.workers.add(
            WorkerPool.Worker(
                host: host, epoch: epoch, engines: [.builtin], slots: slots, isDraining: false, send: { _ in true }))
    }

    @Test(
        "A host that is connected to another coordinator counts as connected, with its disk and its free slots",
        arguments: TestDatabase.allCases)
    func elsewhere(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let other = try await Installation.open(system.folder, on: system.database, clock: system.clock)
            let host = try await system.host()
            let job = try await system.edit(try await system.site("shop"))
            try await other.services.presence.round(at: start)
            #expect(try await other.services.hosts.find(host, for: system.admin).isConnected == false)
            #expect(try await other.services.jobs.find(job, for: system.admin).wait?.reason == .noWorker)
            connect(host, slots: 2, to: system.services)
            try await system.services.presence.round(at: start)
            try await other.services.presence.round(at: start)
            let view = try await other.services.hosts.find(host, for: system.admin)
            #expect(view.isConnected)
            #expect(view.credit == 2)
            #expect(view.diskFreeBytes == 40)
            #expect(try await other.services.jobs.find(job, for: system.admin).wait?.reason == .next)
            system.services.registry.remove(host, epoch: 1)
            system.services.workers.remove(host, epoch: 1)
            try await system.services.presence.round(at: start)
            try await other.services.presence.round(at: start)
            #expect(try await other.services.hosts.find(host, for: system.admin).isConnected == false)
        }
    }

    @Test(
        "What a dead coordinator left ages out, and one that was only slow writes it again",
        arguments: TestDatabase.allCases)
    func death(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let other = try await Installation.open(system.folder, on: system.database, clock: system.clock)
            let host = try await system.host()
            connect(host, slots: 2, to: system.services)
            try await system.services.presence.round(at: start)
            for second in 0..<3 { try await other.services.presence.round(at: start + .seconds(5 * second)) }
            #expect(other.services.registry.isConnectedAnywhere(host))
            try await other.services.presence.round(at: start + Presence.patience + .seconds(1))
            #expect(!other.services.registry.isConnectedAnywhere(host))
            try await system.services.presence.round(at: start + .seconds(30))
            try await other.services.presence.round(at: start + .seconds(31))
            #expect(other.services.registry.isConnectedAnywhere(host))
        }
    }

    @Test("The newest session is the one that is known, whoever writes last", arguments: TestDatabase.allCases)
    func newest(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let other = try await Installation.open(system.folder, on: system.database, clock: system.clock)
            let third = try await Installation.open(system.folder, on: system.database, clock: system.clock)
            let host = try await system.host()
            connect(host, epoch: 2, slots: 1, to: other.services)
            connect(host, epoch: 1, slots: 7, to: system.services)
            try await other.services.presence.round(at: start)
            try await system.services.presence.round(at: start)
            try await third.services.presence.round(at: start)
            #expect(try await third.services.hosts.find(host, for: system.admin).credit == 1)
            // The older one ends, which takes nothing from the newer.
            system.services.registry.remove(host, epoch: 1)
            try await system.services.presence.round(at: start + .seconds(1))
            try await third.services.presence.round(at: start + .seconds(1))
            #expect(third.services.registry.isConnectedAnywhere(host))
        }
    }
}
