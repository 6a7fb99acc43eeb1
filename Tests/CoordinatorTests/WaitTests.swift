import Domain
import TestDatabases
import Testing

@testable import Coordinator

@Suite struct WaitTests {
    private func wait(_ job: JobID, _ system: Installation) async throws -> JobWait? {
        try await system.services.jobs.find(job, for: system.admin).wait
    }

    private func connect(_ host: HostID, _ system: Installation, slots: Int, engines: Set<EngineName> = [.builtin]) {
        system.services.workers.add(
            WorkerPool.Worker(
                host: host, epoch: 1, engines: engines, slots: slots, isDraining: false, send: { _ in true }))
    }

    @Test(
        "A job behind another of its site says which, since when, and how many are before it",
        arguments: TestDatabase.allCases)
    func siteBusy(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let host = try await system.host()
            let site = try await system.site("shop")
            let first = try await system.edit(site)
            _ = try await system.lease(first, to: host)
            let since = system.clock.now()
            system.clock.advance(by: .seconds(5))
            let second = try await system.edit(site)
            system.clock.advance(by: .seconds(5))
            let third = try await system.edit(site)
            let wait = try #require(try await wait(third, system))
            #expect(wait.reason == .siteBusy)
            #expect(wait.heldBy == first)
            #expect(wait.since == since)
            #expect(wait.position == 2)
            #expect(try await self.wait(second, system)?.position == 1)
            #expect(try await self.wait(first, system) == nil)
        }
    }

    @Test("A ready job says which worker is missing, and its place in the line", arguments: TestDatabase.allCases)
    func workers(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let host = try await system.host()
            let jobs = [
                try await system.edit(try await system.site("one")),
                try await system.edit(try await system.site("two")),
            ]
            #expect(try await wait(jobs[0], system)?.reason == .noWorker)
            connect(host, system, slots: 1, engines: [.codex])
            #expect(try await wait(jobs[0], system)?.reason == .noCapableWorker)
            connect(host, system, slots: 0)
            #expect(try await wait(jobs[0], system)?.reason == .workersBusy)
            #expect(try await wait(jobs[0], system)?.position == 1)
            #expect(try await wait(jobs[1], system)?.position == 2)
            connect(host, system, slots: 1)
            #expect(try await wait(jobs[0], system)?.reason == .next)
            system.services.workers.setDraining(true, of: host)
            #expect(try await wait(jobs[0], system)?.reason == .draining)
            try await system.services.recovery.enter(because: "A test.")
            #expect(try await wait(jobs[0], system)?.reason == .recovery)
        }
    }
}
