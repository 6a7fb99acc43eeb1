import Database
import Domain
import Persistence
import TestDatabases
import Testing

@testable import Coordinator

/// Grants and results of many sites at the same instant, which the database is told together.
@Suite struct GroupedJobTests {
    /// Runs all of `bodies` so that most of them wait for their turn at the same time.
    private static func together<Value: Sendable>(
        in system: Installation, _ bodies: [@Sendable () async throws -> Value]
    ) async throws -> [Result<Value, any Error>] {
        let (opening, opener) = AsyncStream.makeStream(of: Void.self)
        return try await withThrowingTaskGroup(of: (Int, Result<Value, any Error>)?.self) { tasks in
            let grouped = system.services.grouped
            tasks.addTask {
                try await grouped.withTransaction(on: .only(["first gate"])) { _ in for await _ in opening {} }
                return nil
            }
            tasks.addTask {
                try await grouped.withTransaction(on: .only(["second gate"])) { _ in for await _ in opening {} }
                return nil
            }
            for (number, body) in bodies.enumerated() {
                tasks.addTask {
                    do { return (number, .success(try await body())) } catch { return (number, .failure(error)) }
                }
            }
            // Whether they really wait together is not known and not asked: what comes out is the same.
            try await Task.sleep(for: .milliseconds(30))
            opener.finish()
            var outcomes: [Int: Result<Value, any Error>] = [:]
            for try await outcome in tasks { if let outcome { outcomes[outcome.0] = outcome.1 } }
            return bodies.indices.compactMap { outcomes[$0] }
        }
    }

    private static func failed(_ lease: JobLease, _ summary: String = "") -> JobCompletion {
        JobCompletion(
            lease: lease, outcome: .failed(JobFailure(kind: .task, code: "no", message: "No.")), summary: summary,
            usage: .zero)
    }

    private static func job(_ id: JobID, in system: Installation) async throws -> Job {
        try #require(try await system.database.answer(system.stores.jobs.find(id))).job
    }

    @Test(
        "Of results that come together each is judged by itself: stale, repeated, a stranger's, or taken",
        .timeLimit(.minutes(3)), arguments: TestDatabase.allCases)
    func judged(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let completions = system.services.completions
            let (host, stranger) = (try await system.host(), try await system.host())
            var leases: [JobLease] = []
            var behind: [JobID] = []
            var sites: [SiteID] = []
            for number in 0..<12 {
                let site = try await system.site("site-\(number)")
                sites.append(site)
                leases.append(try await system.lease(try await system.edit(site), to: host))
                behind.append(try await system.edit(site))
            }
            #expect(try await completions.complete(Self.failed(leases[1]), from: host) == .applied)
            let fences = try await system.database.read { [sites] transaction in
                var fences: [Fence] = []
                for site in sites {
                    fences.append(try #require(try await system.stores.sites.fence(of: site, in: transaction)))
                }
                return fences
            }
            let old = JobLease(
                job: leases[0].job, attempt: leases[0].attempt, token: leases[0].token,
                fence: Fence(rawValue: leases[0].fence.rawValue - 1))
            let presented = [old] + leases.dropFirst()
            let outcomes = try await Self.together(
                in: system,
                presented.enumerated().map { number, lease in
                    { try await completions.complete(Self.failed(lease), from: number == 2 ? stranger : host) }
                })
            let expected: [CompletionVerdict] = [.stale, .duplicate, .stale] + Array(repeating: .applied, count: 9)
            #expect(try outcomes.map { try $0.get() } == expected)
            for (number, lease) in leases.enumerated() {
                let job = try await Self.job(lease.job, in: system)
                let next = try await Self.job(behind[number], in: system)
                let isOver = number == 1 || number > 2
                #expect(job.stateName == (isOver ? .failed : .leased))
                #expect(next.stateName == (isOver ? .ready : .queued), "one ready or leased job of each site")
                let fence = try await system.database.read { [sites] in
                    try await system.stores.sites.fence(of: sites[number], in: $0)
                }
                #expect(try #require(fence) > fences[number] || number < 3)
            }
            #expect(try await system.auditRows()["job.failed"] == 10, "one row for each effect")
            let told = try await system.database.queries([
                SQLStatement("SELECT id FROM event WHERE kind = 'job.finished' ORDER BY id")
            ])[0]
            #expect(told.count == 10)
            #expect(Set(try told.map { try $0.integer("id") }).count == 10)
        }
    }

    @Test(
        "One result that comes many times at once is taken once", .timeLimit(.minutes(3)),
        arguments: TestDatabase.allCases)
    func repeated(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let host = try await system.host()
            var leases: [JobLease] = []
            for number in 0..<4 {
                let site = try await system.site("site-\(number)")
                leases.append(try await system.lease(try await system.edit(site), to: host))
            }
            let completions = system.services.completions
            let outcomes = try await Self.together(
                in: system,
                (leases + leases + leases).map { lease in
                    { try await completions.complete(Self.failed(lease), from: host) }
                })
            let verdicts = try outcomes.map { try $0.get() }
            #expect(verdicts.count { $0 == .applied } == 4)
            #expect(verdicts.count { $0 == .duplicate } == 8)
            for number in 0..<4 {
                let own = [verdicts[number], verdicts[number + 4], verdicts[number + 8]]
                #expect(own.count { $0 == .applied } == 1)
            }
            #expect(try await system.auditRows()["job.failed"] == 4)
        }
    }

    @Test(
        "A result that the database refuses takes no other along", .timeLimit(.minutes(3)),
        arguments: TestDatabase.allCases)
    func poisoned(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let host = try await system.host()
            var leases: [JobLease] = []
            for number in 0..<8 {
                let site = try await system.site("site-\(number)")
                leases.append(try await system.lease(try await system.edit(site), to: host))
            }
            let completions = system.services.completions
            let outcomes = try await Self.together(
                in: system,
                leases.enumerated().map { number, lease in
                    {
                        // No database can hold that character.
                        try await completions.complete(Self.failed(lease, number == 5 ? "\u{0}" : "said"), from: host)
                    }
                })
            for (number, outcome) in outcomes.enumerated() {
                if number == 5 {
                    #expect { try outcome.get() } throws: { ($0 as? SQLError)?.kind == .constraintViolation }
                } else {
                    #expect(try outcome.get() == .applied)
                }
                let job = try await Self.job(leases[number].job, in: system)
                #expect(job.stateName == (number == 5 ? .leased : .failed))
            }
            #expect(try await system.auditRows()["job.failed"] == 7)
            // Its own turn is not over: the worker says it again.
            #expect(try await completions.complete(Self.failed(leases[5]), from: host) == .applied)
        }
    }

    @Test(
        "Of two hosts that are given the same jobs at once each job has one", .timeLimit(.minutes(3)),
        arguments: TestDatabase.allCases)
    func granted(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let hosts = [try await system.host(), try await system.host()]
            var jobs: [JobID] = []
            for number in 0..<10 { jobs.append(try await system.edit(try await system.site("site-\(number)"))) }
            let ledger = system.services.ledger
            let outcomes = try await Self.together(
                in: system,
                (0..<20).map { number in
                    { [jobs] in try await ledger.grant(jobs[number % 10], to: hosts[number / 10], able: [.builtin]) }
                })
            let offers = try outcomes.map { try $0.get() }
            for number in 0..<10 {
                let given = [offers[number], offers[number + 10]].compactMap(\.self)
                #expect(given.count == 1)
                let job = try await Self.job(jobs[number], in: system)
                #expect(job.grant?.lease == given.first?.lease)
                #expect(job.attempt == 1)
            }
        }
    }
}
