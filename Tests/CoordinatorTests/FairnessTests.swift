import Domain
import Persistence
import TestDatabases
import Testing

@testable import Coordinator

@Suite struct FairnessTests {
    /// Takes the next job as the queue would, works on it, and says whose it was.
    private func serve(_ system: Installation, by host: HostID, owners: [SiteID: String]) async throws -> String? {
        guard let job = try await system.nextReady() else { return nil }
        let lease = try await system.lease(job.id, to: host)
        let verdict = try await system.services.completions.complete(
            JobCompletion(
                lease: lease, outcome: .failed(JobFailure(kind: .task, code: "no", message: "No.")), summary: "",
                usage: .zero), from: host)
        #expect(verdict == .applied)
        return owners[job.site]
    }

    @Test("One user with many jobs does not hold up another's first", arguments: TestDatabase.allCases)
    func first(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let host = try await system.host()
            let (hog, guest) = (try await system.user("hog"), try await system.user("guest"))
            var owners: [SiteID: String] = [:]
            for number in 0..<60 {
                let site = try await system.site("hog-\(number)", of: hog)
                owners[site] = "hog"
                _ = try await system.edit(site, of: hog)
            }
            // Some are served before the guest comes.
            for _ in 0..<5 { #expect(try await serve(system, by: host, owners: owners) == "hog") }
            for number in 0..<3 {
                let site = try await system.site("guest-\(number)", of: guest)
                owners[site] = "guest"
                _ = try await system.edit(site, of: guest)
            }
            var order: [String] = []
            while let owner = try await serve(system, by: host, owners: owners) { order.append(owner) }
            #expect(order.count == 58)
            // They take turns: the guest's third job is at most the sixth.
            #expect(order.prefix(2).contains("guest"))
            #expect(order.prefix(6).count { $0 == "guest" } == 3)
        }
    }

    @Test("With one worker and users who ask again and again, nobody starves", arguments: TestDatabase.allCases)
    func starvation(on database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let host = try await system.host()
            var owners: [SiteID: String] = [:]
            let patient = try await system.user("patient")
            for number in 0..<10 {
                let site = try await system.site("patient-\(number)", of: patient)
                owners[site] = "patient"
                _ = try await system.edit(site, of: patient)
            }
            var eager: [(principal: Principal, site: SiteID)] = []
            for number in 0..<4 {
                let principal = try await system.user("eager-\(number)")
                let site = try await system.site("eager-\(number)", of: principal)
                owners[site] = "eager-\(number)"
                eager.append((principal, site))
                _ = try await system.edit(site, of: principal)
            }
            var served: [String: Int] = [:]
            for _ in 0..<50 {
                let owner = try #require(try await serve(system, by: host, owners: owners))
                served[owner, default: 0] += 1
                // Whoever is eager asks at once for the next one.
                if let again = eager.first(where: { owners[$0.site] == owner }) {
                    _ = try await system.edit(again.site, of: again.principal)
                }
            }
            #expect(served["patient"] == 10)
            for number in 0..<4 { #expect((9...11).contains(served["eager-\(number)", default: 0])) }
        }
    }

    @Test("The jobs of one site stay in the order in which they were asked for")
    func order() async throws {
        var settings = CoordinatorSettings()
        settings.queuedEditsPerSite = 1000
        try await Installation.with(settings: settings) { system in
            let host = try await system.host()
            let site = try await system.site("shop")
            var asked: [JobID] = []
            for _ in 0..<40 {
                asked.append(try await system.edit(site))
                system.clock.advance(by: .milliseconds(2))
            }
            var served: [JobID] = []
            while let job = try await system.nextReady() {
                served.append(job.id)
                _ = try await serve(system, by: host, owners: [:])
                try #require(served.count <= 40)
            }
            #expect(served == asked)
        }
    }
}
