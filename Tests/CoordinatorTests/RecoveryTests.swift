import Database
import Domain
import Foundation
import Persistence
import Synchronization
import TestDatabases
import TestSupport
import Testing

@testable import Coordinator

@Suite struct RecoveryTests {
    private final class Heard: Sendable {
        private let all = Mutex<[CoordinatorMessage]>([])
        var messages: [CoordinatorMessage] { all.withLock { $0 } }
        func append(_ message: CoordinatorMessage) { all.withLock { $0.append(message) } }
    }

    /// What a host hears on one session, until it has heard enough or ten seconds are over.
    private func session(
        _ system: Installation, _ host: HostID, _ hello: AgentMessage.Hello,
        until isEnough: @escaping @Sendable (CoordinatorMessage) -> Bool
    ) async throws -> [CoordinatorMessage] {
        let heard = Heard()
        let (frames, say) = AsyncThrowingStream<AgentMessage, any Error>.makeStream()
        say.yield(.hello(hello))
        struct Enough: Error {}
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await system.services.sessions.serve(host, incoming: frames) { message in
                        heard.append(message)
                        if isEnough(message) { throw Enough() }
                    }
                }
                group.addTask {
                    try await Task.sleep(for: .seconds(20))
                    throw CancellationError()
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch is Enough {}
        return heard.messages
    }

    private func hello(_ inventory: [SiteStatus], _ leases: [JobLease] = []) -> AgentMessage.Hello {
        AgentMessage.Hello(
            agentVersion: "1", roles: [.worker, .serving], bootID: "b", leases: leases, inventory: inventory,
            engines: [.builtin])
    }

    /// What the host would say that it serves, had it done all that is desired.
    private func inventory(_ system: Installation, _ host: HostID) async throws -> [SiteStatus] {
        try await system.services.desiredState.snapshot(of: host, after: nil).sites.map { site in
            SiteStatus(
                site: site.site, generation: site.generation,
                digest: ContentDigest(hashing: Array(site.canonicalText.utf8)), condition: .applied,
                trees: [site.live, site.preview, site.previous].compactMap(\.self).map {
                    SiteStatus.Tree(number: $0.number, digest: $0.digest)
                })
        }
    }

    private func backUp(_ folder: String) throws -> String {
        let backup = folder + "/backup"
        try FileManager.default.createDirectory(atPath: backup, withIntermediateDirectories: true)
        for name in ["pagewright.sqlite", "pagewright.sqlite-wal"] {
            try FileManager.default.copyItem(atPath: folder + "/" + name, toPath: backup + "/" + name)
        }
        return backup
    }

    /// The folder as it would be after the database was put back: everything else is as it was.
    private func restore(_ backup: String, in folder: String, withMemory: Bool = true) throws -> String {
        let restored = folder + "/restored"
        try FileManager.default.createDirectory(atPath: restored, withIntermediateDirectories: true)
        for name in ["pagewright.sqlite", "pagewright.sqlite-wal"] {
            try FileManager.default.copyItem(atPath: backup + "/" + name, toPath: restored + "/" + name)
        }
        for name in ["ca", "blobs"] + (withMemory ? ["not-in-backups"] : []) {
            try FileManager.default.copyItem(atPath: folder + "/" + name, toPath: restored + "/" + name)
        }
        return restored
    }

    @Test("After a restore nothing is granted or pushed, what was lost is listed exactly, and no fence is used twice")
    func restored() async throws {
        try await Installation.with { system in
            try await system.services.recovery.examine()
            let host = try await system.host()
            let (shop, blog) = (try await system.site("shop"), try await system.site("blog"))
            func change(_ site: SiteID, _ text: String) async throws -> JobLease {
                let lease = try await system.lease(try await system.edit(site), to: host)
                let done = try await system.completion(lease, of: site, page: Installation.page + "<!-- \(text) -->\n")
                #expect(try await system.services.completions.complete(done, from: host) == .applied)
                return lease
            }
            var fences = [try await change(shop, "two").fence]
            let known = try await inventory(system, host)
            let backup = try backUp(system.folder)

            // What the backup does not know.
            fences.append(try await change(shop, "three").fence)
            _ = try await system.services.releases.promote(3, on: shop.text, for: system.admin)
            let open = try await system.lease(try await system.edit(shop), to: host)
            fences.append(open.fence)
            let lostSite = try await system.site("lost")
            try await system.services.recovery.examine()
            let lost = try await inventory(system, host)
            let lostVersion = try await system.services.versions.find(3, of: shop.text, for: system.admin).version
            let lostFirst = try await system.services.versions.find(1, of: lostSite.text, for: system.admin).version

            let after = try await Installation.open(
                try restore(backup, in: system.folder), clock: system.clock)
            try await after.services.recovery.examine()
            #expect(after.services.recovery.isActive)
            #expect(after.services.recovery.reason?.contains("lacks the last") == true)
            let waiting = try await after.edit(blog)
            #expect(try await after.services.ledger.grant(waiting, to: host, able: [.builtin]) == nil)

            // The host comes, and is told nothing.
            async let heard = session(after, host, hello(lost, [open])) { _ in false }
            var view = try await after.services.recovery.view(for: after.admin)
            for _ in 0..<500 where view.finds.count < 5 {
                try await Task.sleep(for: .milliseconds(20))
                view = try await after.services.recovery.view(for: after.admin)
            }
            let finds = view.finds.map { "\($0.kind.rawValue) \($0.subject) \($0.number) \($0.digest?.text ?? "-")" }
            let statuses = Dictionary(uniqueKeysWithValues: lost.map { ($0.site, $0) })
            let (shopStatus, lostStatus) = (try #require(statuses[shop]), try #require(statuses[lostSite]))
            #expect(
                Set(finds) == [
                    "generation \(shop) \(shopStatus.generation) \(shopStatus.digest)",
                    "version \(shop) 3 \(lostVersion.digest)",
                    "site \(lostSite) \(lostStatus.generation) \(lostStatus.digest)",
                    "version \(lostSite) 1 \(lostFirst.digest)",
                    "job \(open.job) 1 -",
                ])
            view = try await after.services.recovery.accept(for: after.admin)
            #expect(!view.isActive)
            #expect(view.incarnation == Incarnation(rawValue: 1))
            #expect(view.finds.isEmpty)
            let messages = try await heard
            #expect(!messages.contains { if case .desired = $0 { true } else { false } })
            #expect(messages.contains { if case .goAway = $0 { true } else { false } })

            // From now on everything is above what the lost life gave out.
            let lease = try await after.lease(waiting, to: host)
            #expect(lease.fence > fences.max()!)
            #expect(lease.fence.incarnation == 1)
            let next = try await session(after, host, hello(lost)) {
                if case .desired = $0 { true } else { false }
            }
            let pushed = try #require(
                next.compactMap { if case .desired(let sites, .whole) = $0 { sites } else { nil } }.first)
            #expect(Set(pushed.map(\.site)) == [shop, blog])
            for site in pushed { #expect(site.generation > statuses[site.site]!.generation) }
            #expect(!after.services.recovery.isActive)
            let again = try await after.lease(try await after.edit(shop), to: host)
            #expect(again.fence > fences.max()!)
            let done = try await after.completion(again, of: shop, page: Installation.page + "<!-- new -->\n")
            #expect(try await after.services.completions.complete(done, from: host) == .applied)
            // Number 3 is not given to another content.
            let preview = try await after.services.sites.find(shop.text, for: after.admin).site.preview
            #expect(preview == VersionNumber(unchecked: 4))
            let rows = try await after.auditRows()
            #expect(rows["recovery.entered"] == 1)
            #expect(rows["recovery.accepted"] == 1)
            _ = known
        }
    }

    @Test("A second restore of the same backup gives no fence of the first one's life again")
    func twice() async throws {
        try await Installation.with { system in
            try await system.services.recovery.examine()
            let host = try await system.host()
            let site = try await system.site("shop")
            let job = try await system.edit(site)
            let backup = try backUp(system.folder)
            var fences = [try await system.lease(job, to: host).fence]
            try await system.services.recovery.examine()
            let first = try await Installation.open(try restore(backup, in: system.folder), clock: system.clock)
            try await first.services.recovery.examine()
            #expect(first.services.recovery.isActive)
            _ = try await first.services.recovery.accept(for: first.admin)
            fences.append(try await first.lease(job, to: host).fence)
            let second = try await Installation.open(try restore(backup, in: first.folder), clock: system.clock)
            try await second.services.recovery.examine()
            #expect(second.services.recovery.isActive)
            _ = try await second.services.recovery.accept(for: second.admin)
            fences.append(try await second.lease(job, to: host).fence)
            #expect(Set(fences).count == 3)
            #expect(fences == fences.sorted())
        }
    }

    @Test("Without the sidecar the database is in doubt, and an operator decides")
    func moved() async throws {
        try await Installation.with { system in
            try await system.services.recovery.examine()
            _ = try await system.site("shop")
            let backup = try backUp(system.folder)
            let moved = try await Installation.open(
                try restore(backup, in: system.folder, withMemory: false), clock: system.clock)
            try await moved.services.recovery.examine()
            #expect(moved.services.recovery.isActive)
            let user = try await moved.user("eve")
            await #expect(throws: ServiceError.self) { try await moved.services.recovery.accept(for: user) }
            try await moved.services.recovery.accept(by: .operatorHere)
            try await moved.services.recovery.examine()
            #expect(!moved.services.recovery.isActive)
            await #expect(throws: ServiceError.self) { try await moved.services.recovery.accept(for: moved.admin) }
        }
    }

    @Test("A database that runs on another server goes on in a new incarnation, and says so in the log once")
    func otherServer() async throws {
        try await Installation.with(on: .postgres) { system in
            try await system.services.recovery.examine()
            let (site, other) = (try await system.site("shop"), try await system.site("other"))
            let host = try await system.host()
            let before = try await system.lease(try await system.edit(site), to: host).fence
            // What was remembered is that of another server.
            try await system.execute("UPDATE installation SET storage = 'postgres:1:00000001'")
            for _ in 0..<2 { try await system.services.recovery.examine() }
            #expect(!system.services.recovery.isActive)
            #expect(try await system.services.recovery.view().incarnation == Incarnation(rawValue: 1))
            #expect(try await system.lease(try await system.edit(other), to: host).fence > before)
            #expect(try await system.auditRows()["incarnation.raised"] == 1)
        }
    }

    @Test("A start after a stop, or after a death at any moment, is no recovery")
    func restart() async throws {
        try await Installation.with { system in
            try await system.services.recovery.examine()
            let host = try await system.host()
            let site = try await system.site("shop")
            try await system.services.recovery.examine()
            // These the sidecar never heard of.
            _ = try await system.lease(try await system.edit(site), to: host)
            for _ in 0..<3 {
                let next = try await Installation.open(system.folder, clock: system.clock)
                try await next.services.recovery.examine()
                #expect(!next.services.recovery.isActive)
                #expect(try await next.services.recovery.view().incarnation == .first)
            }
        }
    }

    @Test("A host that is ahead of the database puts it in doubt; what was accepted before does not")
    func hostIsAhead() async throws {
        try await Installation.with { system in
            let recovery = system.services.recovery
            try await recovery.examine()
            let (host, late) = (try await system.host(), try await system.host())
            let site = try await system.site("shop")
            func status(_ generation: Int64) -> SiteStatus {
                SiteStatus(
                    site: site, generation: generation, digest: ContentDigest(hashing: [1]), condition: .applied)
            }
            try await recovery.inspect(hello([status(1)]), of: host)
            #expect(!recovery.isActive)
            try await recovery.inspect(hello([status(7)]), of: host)
            #expect(recovery.isActive)
            _ = try await recovery.accept(for: system.admin)
            try await recovery.inspect(hello([status(9)]), of: late)
            #expect(!recovery.isActive)
            #expect(try await inventory(system, late).allSatisfy { $0.generation > 9 })
        }
    }

    @Test("A machine that joins again under a new name does not put the database in doubt")
    func joinedAgain() async throws {
        try await Installation.with { system in
            let recovery = system.services.recovery
            try await recovery.examine()
            let before = try await system.host()
            let site = try await system.site("shop")
            for number in 0..<5 {
                _ = try await system.services.sites.setMaintenance("\(number)", on: site.text, for: system.admin)
            }
            let served = try await inventory(system, before)
            let again = try await system.host()
            try await recovery.inspect(hello(served), of: again)
            #expect(!recovery.isActive)
        }
    }

    @Test("In recovery leases are not taken back")
    func noReaping() async throws {
        try await Installation.with { system in
            try await system.services.recovery.examine()
            let host = try await system.host()
            let job = try await system.edit(try await system.site("shop"))
            let lease = try await system.lease(job, to: host)
            try await system.services.recovery.enter(because: "A test.")
            let start = ContinuousClock.now
            var memory = system.services.reaper.makeMemory(at: start)
            system.clock.advance(by: .seconds(4000))
            try await system.services.reaper.round(&memory, at: start + .seconds(4000))
            try await system.services.reaper.round(&memory, at: start + .seconds(8000))
            #expect(try await system.services.ledger.renew([lease], from: host).renewed == [lease])
        }
    }
}
