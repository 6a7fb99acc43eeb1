import Domain
import Persistence
import TestDatabases
import Testing

@testable import Coordinator

@Suite struct LeaseReaperTests {
    /// Leases, one per site, all with one host.
    private func leases(_ count: Int, in system: Installation) async throws -> (host: HostID, leases: [JobLease]) {
        let host = try await system.host()
        var leases: [JobLease] = []
        for number in 0..<count {
            let site = try await system.site("site-\(number)")
            leases.append(try await system.lease(try await system.edit(site), to: host))
        }
        return (host, leases)
    }

    private func held(_ system: Installation) async throws -> Int {
        try await system.services.ledger.counts()[.leased, default: 0]
    }

    @Test("After a start every lease lasts 300 s longer, and not for ever", arguments: TestDatabase.allCases)
    func start(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            _ = try await leases(1, in: system)
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            system.clock.advance(by: .seconds(80))
            try await system.services.reaper.round(&memory, at: start + .seconds(5))
            #expect(try await held(system) == 1)
            system.clock.advance(by: .seconds(280))
            try await system.services.reaper.round(&memory, at: start + .seconds(290))
            #expect(try await held(system) == 1)
            try await system.services.reaper.round(&memory, at: start + .seconds(306))
            #expect(try await held(system) == 0)
        }
    }

    @Test("After a recovery no job waits for the expiry of a lease from before", arguments: TestDatabase.allCases)
    func superseded(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let (_, leases) = try await leases(1, in: system)
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            try await system.services.reaper.round(&memory, at: start)
            #expect(try await held(system) == 1)
            try await system.services.recovery.enter(because: "A test.")
            try await system.services.recovery.accept(by: .operatorHere)
            try await system.services.reaper.round(&memory, at: start + .seconds(1))
            #expect(try await held(system) == 0)
            let next = try await system.nextReady()
            #expect(next?.id == leases[0].job)
        }
    }

    @Test("A clock of the day that jumps ten years ends no lease", arguments: TestDatabase.allCases)
    func clockJump(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let (host, leases) = try await leases(1, in: system)
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            try await system.services.reaper.round(&memory, at: start)
            try await system.services.reaper.round(&memory, at: start + .seconds(301))
            #expect(try await held(system) == 0, "it was not renewed for 301 s")
            let again = try await system.lease(leases[0].job, to: host)
            try await system.services.reaper.round(&memory, at: start + .seconds(302))
            system.clock.advance(by: .seconds(315_360_000))
            try await system.services.reaper.round(&memory, at: start + .seconds(360))
            #expect(try await held(system) == 1)
            #expect(try await system.services.ledger.renew([again], from: host).renewed == [again])
        }
    }

    @Test(
        "When it becomes the steward, and after the database was away, leases last longer once more",
        arguments: TestDatabase.allCases)
    func outage(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            _ = try await leases(1, in: system)
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            try await system.services.reaper.round(&memory, at: start)
            system.clock.advance(by: .seconds(100))
            // As after an error: nobody could renew.
            memory.isBlind = true
            try await system.services.reaper.round(&memory, at: start + .seconds(400))
            #expect(try await held(system) == 1)
            try await system.services.reaper.round(&memory, at: start + .seconds(699))
            #expect(try await held(system) == 1)
            memory.term = nil
            try await system.services.reaper.round(&memory, at: start + .seconds(701))
            #expect(try await held(system) == 1)
            try await system.services.reaper.round(&memory, at: start + .seconds(1002))
            #expect(try await held(system) == 0)
        }
    }

    @Test("When every session breaks at once, leases last longer", arguments: TestDatabase.allCases)
    func allSessionsGone(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let (host, _) = try await leases(1, in: system)
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            system.services.registry.add(host, epoch: 1) { _, _ in }
            try await system.services.reaper.round(&memory, at: start)
            try await system.services.reaper.round(&memory, at: start + .seconds(70))
            system.services.registry.remove(host, epoch: 1)
            try await system.services.reaper.round(&memory, at: start + .seconds(71))
            try await system.services.reaper.round(&memory, at: start + .seconds(370))
            #expect(try await held(system) == 1)
            try await system.services.reaper.round(&memory, at: start + .seconds(372))
            #expect(try await held(system) == 0)
        }
    }

    @Test(
        "When many leases would expire at once none does, until the hosts come back", arguments: TestDatabase.allCases)
    func brake(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let (host, leases) = try await leases(10, in: system)
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            try await system.services.reaper.round(&memory, at: start)
            system.clock.advance(by: .seconds(80))
            _ = try await system.services.ledger.renew(Array(leases.prefix(6)), from: host)
            for second in 301..<310 {
                try await system.services.reaper.round(&memory, at: start + .seconds(second))
            }
            #expect(try await held(system) == 10)
            let brake = try #require(try await system.services.brakes.list(for: system.admin).first)
            #expect(brake.name == ExpiryBrake.name)
            #expect(brake.detail == "4 of 10 leases would expire at once.")
            _ = try await system.services.ledger.renew(leases, from: host)
            try await system.services.reaper.round(&memory, at: start + .seconds(311))
            #expect(try await system.services.brakes.list(for: system.admin).isEmpty)
            #expect(try await held(system) == 10)
            let rows = try await system.auditRows()
            #expect(rows["brake.engaged"] == 1)
            #expect(rows["brake.cleared"] == 1)
        }
    }

    @Test("An operator lets the leases go that the brake holds", arguments: TestDatabase.allCases)
    func release(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            _ = try await leases(5, in: system)
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            try await system.services.reaper.round(&memory, at: start)
            system.clock.advance(by: .seconds(80))
            try await system.services.reaper.round(&memory, at: start + .seconds(301))
            #expect(try await held(system) == 5)
            let user = try await system.user("eve")
            await #expect(throws: ServiceError.self) {
                try await system.services.brakes.release(ExpiryBrake.name, for: user)
            }
            _ = try await system.services.brakes.release(ExpiryBrake.name, for: system.admin)
            try await system.services.reaper.round(&memory, at: start + .seconds(302))
            #expect(try await held(system) == 0)
            try await system.services.reaper.round(&memory, at: start + .seconds(303))
            #expect(try await system.services.brakes.list(for: system.admin).isEmpty)
            #expect(try await system.auditRows()["brake.released"] == 1)
            await #expect(throws: ServiceError.self) {
                try await system.services.brakes.release(ExpiryBrake.name, for: system.admin)
            }
        }
    }

    @Test("Few leases expire without a brake", arguments: TestDatabase.allCases)
    func few(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let (host, leases) = try await leases(10, in: system)
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            try await system.services.reaper.round(&memory, at: start)
            system.clock.advance(by: .seconds(80))
            _ = try await system.services.ledger.renew(Array(leases.prefix(7)), from: host)
            try await system.services.reaper.round(&memory, at: start + .seconds(250))
            try await system.services.reaper.round(&memory, at: start + .seconds(301))
            #expect(try await held(system) == 7)
            // Within the same minute one more is too many.
            system.clock.advance(by: .seconds(80))
            _ = try await system.services.ledger.renew(Array(leases.prefix(6)), from: host)
            try await system.services.reaper.round(&memory, at: start + .seconds(302))
            try await system.services.reaper.round(&memory, at: start + .seconds(330))
            #expect(try await held(system) == 7)
            try await system.services.reaper.round(&memory, at: start + .seconds(362))
            #expect(try await system.services.brakes.list(for: system.admin).isEmpty == false)
        }
    }

    @Test("A coordinator that is not the steward takes nothing back", arguments: TestDatabase.allCases)
    func follower(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let other = try await Installation.open(system.folder, on: system.database, clock: system.clock)
            _ = try await leases(1, in: system)
            _ = try #require(try await other.services.stewardship.hold())
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            system.clock.advance(by: .seconds(4))
            try await system.services.reaper.round(&memory, at: start)
            system.clock.advance(by: .seconds(10))
            _ = try await other.services.stewardship.hold()
            system.clock.advance(by: .seconds(10))
            try await system.services.reaper.round(&memory, at: start + .seconds(400))
            #expect(try await held(system) == 1)
        }
    }

    @Test(
        "An admin unlocks a job: the fence rises, the old holder is stale, and the log says who did it",
        arguments: TestDatabase.allCases)
    func unlock(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let host = try await system.host()
            let owner = try await system.user("ada")
            let site = try await system.site("shop", of: owner)
            let job = try await system.edit(site, of: owner)
            await #expect(throws: ServiceError.self) { try await system.services.jobs.unlock(job, for: system.admin) }
            let lease = try await system.lease(job, to: host)
            await #expect(throws: ServiceError.self) { try await system.services.jobs.unlock(job, for: owner) }
            let view = try await system.services.jobs.unlock(job, for: system.admin)
            #expect(view.job.stateName == .ready)
            #expect(try await system.services.ledger.renew([lease], from: host).lost == [lease])
            let late = try await system.completion(lease, of: site, page: Installation.page + "<!-- late -->\n")
            #expect(try await system.services.completions.complete(late, from: host) == .stale)
            #expect(try await system.auditRows()["job.unlocked"] == 1)
            let next = try await system.lease(job, to: host)
            #expect(next.fence > lease.fence)
            #expect(next.attempt == 2)
        }
    }
}
