import Artifacts
import Domain
import FleetIdentity
import Foundation
import Persistence
import TestDatabases
import TestSupport
import Testing

@testable import Coordinator

/// What becomes of hosts: clones, labels, places, upgrades.
@Suite struct HostLifeTests {
    /// Opens a session as `instance` and ends it at once.
    private static func session(_ system: Installation, _ host: HostID, _ instance: String, version: String = "1.0.0")
        async throws
    {
        var hello = AgentMessage.Hello(
            agentVersion: version, roles: [.serving], bootID: "", leases: [], inventory: [], engines: [])
        hello.instance = instance
        let (incoming, frames) = AsyncThrowingStream.makeStream(of: AgentMessage.self, throwing: (any Error).self)
        frames.yield(.hello(hello))
        frames.finish()
        try await system.services.sessions.serve(host, incoming: incoming) { _ in }
    }

    private static func state(_ system: Installation, _ host: HostID) async throws -> Domain.Host {
        try await system.services.hosts.find(host, for: system.admin).host
    }

    @Test("Two programs with one certificate are shut out, until an operator says what to do")
    func quarantine() async throws {
        try await Installation.with { system in
            let host = try await system.host(["serving"])
            for instance in ["a", "b", "a"] { try await Self.session(system, host, instance) }
            #expect(try await Self.state(system, host).state == .active)
            let error = await #expect(throws: ServiceError.self) { try await Self.session(system, host, "b") }
            #expect(error?.rule == "host-quarantined")
            #expect(try await Self.state(system, host).state == .quarantined)
            #expect(try await system.auditRows()["host.quarantined"] == 1)
            // Neither of them may do anything any more.
            for instance in ["a", "b"] {
                await #expect(throws: ServiceError.self) { try await Self.session(system, host, instance) }
            }
            let serial = try await Self.state(system, host).certificateSerial
            let refusal = await #expect(throws: ServiceError.self) {
                try await system.services.membership.admit(host, serial: serial)
            }
            #expect(refusal?.rule == "host-quarantined")
            _ = try await system.services.hosts.resume(host, for: system.admin)
            try await Self.session(system, host, "b")
            #expect(try await Self.state(system, host).state == .active)
        }
    }

    @Test("A coordinator of the version before sees a quarantined host as revoked")
    func olderCoordinator() async throws {
        try await Installation.with { system in
            let host = try await system.host(["serving"])
            for instance in ["a", "b", "a"] { try await Self.session(system, host, instance) }
            _ = try? await Self.session(system, host, "b")
            let word = try await system.database.read {
                try await $0.query("SELECT state FROM host WHERE id = $1", [.text(host.text)])[0].text("state")
            }
            #expect(word == "revoked")
        }
    }

    @Test("A site of its own policy is on hosts with the labels only, and moves when they change")
    func placement() async throws {
        try await Installation.with { system in
            let hosts = [try await system.host(["serving"]), try await system.host(["serving"])]
            _ = try await system.services.hosts.label(hosts[0], "disk=fast", for: system.admin)
            let site = try await system.site("bakery")
            #expect(try await system.services.placements.find("bakery", for: system.admin).hosts.count == 2)
            // Both serve it.
            for host in hosts { try await Self.acknowledge(system, site, on: host) }
            let view = try await system.services.placements.set(
                PlacementPolicy(copies: 1, selector: try HostLabels("disk=fast")), of: "bakery", for: system.admin)
            #expect(view.isOwn && view.hosts == [hosts[0]])
            let user = try await system.user("somebody")
            await #expect(throws: ServiceError.self) {
                try await system.services.placements.find("bakery", for: user)
            }
        }
    }

    @Test("Another policy of a site that has one already is looked after, too")
    func anotherPolicy() async throws {
        try await Installation.with { system in
            let placements = system.services.placements
            _ = try await system.site("bakery")
            _ = try await placements.set(PlacementPolicy(copies: 1), of: "bakery", for: system.admin)
            let before = try await placements.fingerprint()
            _ = try await placements.set(
                PlacementPolicy(copies: 1, selector: try HostLabels("disk=fast")), of: "bakery", for: system.admin)
            let labelled = try await placements.fingerprint()
            #expect(labelled != before)
            _ = try await placements.set(
                PlacementPolicy(copies: 2, selector: try HostLabels("disk=fast")), of: "bakery", for: system.admin)
            #expect(try await placements.fingerprint() != labelled)
        }
    }

    @Test("The sites of a drained host go elsewhere first, and leave it then")
    func drain() async throws {
        var settings = CoordinatorSettings()
        settings.placement = PlacementPolicy(copies: 1, leavesDraining: true)
        try await Installation.with(settings: settings) { system in
            let first = try await system.host(["serving"])
            try await Self.session(system, first, "a")
            let site = try await system.site("bakery")
            try await Self.acknowledge(system, site, on: first)
            let second = try await system.host(["serving"])
            try await Self.session(system, second, "b")
            #expect(try await Self.hosts(system) == [first])
            _ = try await system.services.hosts.drain(first, for: system.admin)
            #expect(try await system.services.placements.arrangeAll { _ in })
            #expect(try await Set(Self.hosts(system)) == [first, second])
            _ = try await system.services.placements.arrangeAll { _ in }
            #expect(try await Set(Self.hosts(system)) == [first, second])
            try await Self.acknowledge(system, site, on: second)
            _ = try await system.services.placements.arrangeAll { _ in }
            #expect(try await Self.hosts(system) == [second])
        }
    }

    @Test("The sites of a host that stays away go elsewhere when the policy says so, after the time that it says")
    func lost() async throws {
        var settings = CoordinatorSettings()
        settings.placement = PlacementPolicy(copies: 1, lostAfter: .seconds(600))
        try await Installation.with(settings: settings) { system in
            let first = try await system.host(["serving"])
            try await Self.session(system, first, "a")
            let site = try await system.site("bakery")
            try await Self.acknowledge(system, site, on: first)
            let second = try await system.host(["serving"])
            system.clock.advance(by: .seconds(500))
            try await Self.session(system, second, "b")
            _ = try await system.services.placements.arrangeAll { _ in }
            #expect(try await Self.hosts(system) == [first])
            system.clock.advance(by: .seconds(200))
            try await Self.session(system, second, "b")
            #expect(try await system.services.placements.arrangeAll { _ in })
            #expect(try await Self.hosts(system).contains(second))
            try await Self.acknowledge(system, site, on: second)
            let wanted = try await system.services.desiredState.snapshot(of: second, after: nil).sites
            #expect(wanted.first?.live != nil)
        }
    }

    @Test("Of a thousand that use one join token at once, one becomes a member", arguments: TestDatabase.allCases)
    func oneToken(database: TestDatabase) async throws {
        try await Installation.with(on: database) { system in
            let token = try JoinToken(
                try await system.services.hosts.invite(roles: ["serving"], for: system.admin).token)
            let request = try AgentKey().signingRequest()
            let membership = system.services.membership
            let rules = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        do {
                            _ = try await membership.enrol(
                                secret: token.secret.text, signingRequest: request, hostName: "host-\(number)",
                                agentVersion: "1")
                            return "member"
                        } catch let error as ServiceError {
                            return error.rule ?? error.code.rawValue
                        }
                    }
                }
                var rules: [String: Int] = [:]
                for try await rule in group { rules[rule, default: 0] += 1 }
                return rules
            }
            #expect(rules == ["member": 1, "token-used": 999])
            #expect(try await system.services.hosts.list(for: system.admin).count == 1)
        }
    }

    private static func hosts(_ system: Installation) async throws -> [HostID] {
        try await system.services.placements.find("bakery", for: system.admin).hosts
    }

    /// The host says that it serves what it is to serve.
    private static func acknowledge(_ system: Installation, _ site: SiteID, on host: HostID) async throws {
        let wanted = try await system.services.desiredState.snapshot(of: host, after: nil).sites
        let desired = try #require(wanted.first { $0.site == site })
        try await system.services.desiredState.record(
            SiteStatus(
                site: site, generation: desired.generation, digest: ContentDigest(hashing: desired.canonicalText),
                condition: .applied), from: host)
    }

    @Test(
        "A release for all hosts or none waits for every host, and names the one that cannot",
        .timeLimit(.minutes(5)))
    func allOrNothing() async throws {
        var settings = CoordinatorSettings()
        settings.prepareTimeout = .seconds(60)
        try await Installation.with(settings: settings) { system in
            let hosts = [try await system.host(["serving"]), try await system.host(["serving"])]
            let site = try await system.site("bakery")
            for host in hosts { try await Self.acknowledge(system, site, on: host) }
            // Another version, with the same content.
            try await system.database.withTransaction { transaction in
                let columns = """
                    digest, parent, origin, template, edit_id, job_id, engine, author_id, summary, files, size_bytes,
                    findings, signature, created_at
                    """
                try await transaction.execute(
                    "INSERT INTO version (site_id, number, \(columns)) SELECT site_id, 2, \(columns) FROM version")
                try await transaction.execute("UPDATE site SET last_version = 2")
            }
            async let release = system.services.releases.promoteEverywhere(2, on: "bakery", for: system.admin)
            try await Self.untilPrepared(system, hosts[0])
            try await Self.acknowledge(system, site, on: hosts[0])
            #expect(
                try await system.services.releases.list(of: "bakery", page: PageRequest(), for: system.admin).items
                    .count == 1)
            try await Self.acknowledge(system, site, on: hosts[1])
            #expect(try await release.number == 2)

            async let refused = system.services.releases.promoteEverywhere(1, on: "bakery", for: system.admin)
            try await Self.untilPrepared(system, hosts[0])
            let wanted = try #require(
                try await system.services.desiredState.snapshot(of: hosts[1], after: nil).sites.first)
            try await system.services.desiredState.record(
                SiteStatus(
                    site: site, generation: wanted.generation, digest: ContentDigest(hashing: wanted.canonicalText),
                    condition: .refused(reason: "the disk is full")), from: hosts[1])
            do {
                _ = try await refused
                Issue.record("it was released")
            } catch let error as ServiceError {
                #expect(error.rule == "release-all-or-nothing" && error.message.contains("the disk is full"))
            }
            #expect(
                try await system.services.releases.list(of: "bakery", page: PageRequest(), for: system.admin).items
                    .count == 2)
            #expect(try await system.services.desiredState.snapshot(of: hosts[0], after: nil).sites[0].prepared == nil)
        }
    }

    private static func untilPrepared(_ system: Installation, _ host: HostID) async throws {
        try await SharedFleet.until {
            try await system.services.desiredState.snapshot(of: host, after: nil).sites.first?.prepared != nil
        }
    }

    @Test("A roll-back that was made on a host is undone or kept, as it is set", arguments: [true, false])
    func localRollback(isUndone: Bool) async throws {
        var settings = CoordinatorSettings()
        settings.undoesLocalRollbacks = isUndone
        try await Installation.with(settings: settings) { system in
            let host = try await system.host(["serving"])
            let site = try await system.site("bakery")
            try await Self.acknowledge(system, site, on: host)
            let before = try #require(try await system.services.desiredState.snapshot(of: host, after: nil).sites.first)
            var status = SiteStatus(
                site: site, generation: before.generation, digest: ContentDigest(hashing: "something else"),
                condition: .applied)
            status.localVersion = try VersionNumber(1)
            try await system.services.desiredState.compare([status], of: host)
            let after = try #require(try await system.services.desiredState.snapshot(of: host, after: nil).sites.first)
            #expect(after.generation == before.generation + (isUndone ? 1 : 0))
            // Said again by the next session: it is one event all the same.
            if !isUndone { try await system.services.desiredState.compare([status], of: host) }
            #expect(try await system.auditRows()["site.rolled-back-locally"] == 1)
        }
    }

    @Test("A roll-out orders one host first, and goes on when that one came back with the new version")
    func rollout() async throws {
        try await Installation.with { system in
            let hosts = [try await system.host(["serving"]), try await system.host(["serving"])].sorted()
            for host in hosts { try await Self.session(system, host, "a") }
            let rollout = try await system.services.rollouts.plan(
                to: "1.1.0", hosts: nil, startsAt: nil, for: system.admin)
            await #expect(throws: ServiceError.self) {
                try await system.services.rollouts.plan(to: "1.2.0", hosts: nil, startsAt: nil, for: system.admin)
            }
            try await system.services.rollouts.advance()
            #expect(try await Self.state(system, hosts[0]).upgradeOrder?.version.text == "1.1.0")
            #expect(try await Self.state(system, hosts[1]).upgradeOrder == nil)
            try await Self.session(system, hosts[0], "b", version: "1.1.0")
            try await system.services.rollouts.advance()
            #expect(try await Self.state(system, hosts[0]).upgradeOrder == nil)
            #expect(try await Self.state(system, hosts[1]).upgradeOrder?.version.text == "1.1.0")
            // This one never comes back.
            system.clock.advance(by: .seconds(125))
            try await system.services.rollouts.advance()
            #expect(try await Self.state(system, hosts[1]).upgradeOrder?.version.text == "1.0.0")
            try await Self.session(system, hosts[1], "c", version: "1.0.0")
            try await system.services.rollouts.advance()
            let end = try await system.services.rollouts.find(rollout.id, for: system.admin)
            #expect(end.state == .stopped)
            #expect(end.members.map(\.state) == [.healthy, .reverted])
            #expect(try await !system.services.rollouts.advance())
            #expect(try await system.auditRows()["rollout.finished"] == 1)
        }
    }
}
