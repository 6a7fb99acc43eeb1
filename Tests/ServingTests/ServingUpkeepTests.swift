import AgentCore
import Artifacts
import Domain
import Foundation
import Serving
import TestSupport
import Testing

@Suite("Upkeep of a serving host") struct ServingUpkeepTests {
    private func publish(_ letters: String, on host: ServingHost, generation: Int64 = 1) async throws -> [DesiredSite] {
        var values: [DesiredSite] = []
        for letter in letters {
            let tree = try await host.store(["index.html": "site \(letter)"], of: .test(letter), as: 1)
            values.append(try .test(letter, generation, live: tree))
        }
        for value in values { _ = try await host.settle(value) }
        return values
    }

    private func served(_ letters: String, on host: ServingHost) throws -> String {
        try letters.filter { try host.get("\($0).localhost").status == 200 }
    }

    private func until(_ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            guard ContinuousClock.now < deadline else { throw ServiceError(.unavailable, "it did not come to that") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test("A site that a complete snapshot leaves out is removed; one that another message leaves out is not")
    func absence() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let values = try await publish("abc", on: host)
                await host.want(values[0])
                await host.want(values[0], values[1], complete: true)
                try await until { try served("abc", on: host) == "ab" }
                // Visitors lose it first; its folder goes next.
                try await until { await host.inventory().count == 2 }
                try await until { !FileManager.default.fileExists(atPath: "\(host.layout.sites)/\(SiteID.test("c"))") }
                #expect(!FileManager.default.fileExists(atPath: "\(host.layout.sites)/\(SiteID.test("c"))"))
                // It may come back, from the first generation on.
                try await #expect(host.settle(values[2]).condition == .applied)
                try #expect(host.get("c.localhost").text == "site c")
            }
        }
    }

    @Test("Many sites do not go at once unless an operator says so", arguments: [true, false])
    func brake(byTombstone: Bool) async throws {
        try await withTemporaryDirectory { root in
            var settings = ServingSettings.quick
            settings.upkeepInterval = .milliseconds(50)
            let host = try await ServingHost(root, settings: settings)
            try await host.run {
                let values = try await publish("abcdefgh", on: host)
                let tombstones = values.prefix(4).map { DesiredSite(site: $0.site, generation: 2, isRemoved: true) }
                await host.role.receive(
                    byTombstone
                        ? .desired(tombstones, .change)
                        : .desired(Array(values.dropFirst(4)), .whole))
                if byTombstone {
                    try await #expect(host.outbox.next(.test("a"), 2).refusal?.contains("at once") == true)
                }
                try #expect(served("abcdefgh", on: host) == "abcdefgh")
                let problem = try #require(
                    await host.report().problems.first { $0.message.contains("4 sites at once") })
                #expect(problem.level == .degraded && problem.nextStep.contains("touch "))
                #expect(FileManager.default.createFile(atPath: host.layout.massRemovalPermit, contents: nil))
                try await until { try served("abcdefgh", on: host) == "efgh" }
                #expect(await host.report().problems.isEmpty)
                // Good for one time.
                #expect(!FileManager.default.fileExists(atPath: host.layout.massRemovalPermit))
            }
        }
    }

    @Test("The status tells which nginx runs, that sites cost it no reload, and that its workers have no privileges")
    func nginxStatus() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let before = try #require(await host.report().nginx)
                #expect(before.process != nil && before.isAnswering && before.configuration == 1)
                #expect(before.reloads == 0 && before.restarts == 0)
                #expect(before.workerUser == (geteuid() == 0 ? "nobody" : nil))
                _ = try await publish("ab", on: host)
                #expect(await host.report().nginx == before)
            }
        }
    }

    @Test("A snapshot in parts removes what no part named: with the last part, and not before")
    func snapshotInParts() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let values = try await publish("abc", on: host)
                await host.role.receive(.desired([values[0]], .snapshot(index: 0, isLast: false)))
                // Something new that is placed meanwhile belongs to the host as well.
                let tree = try await host.store(["index.html": "site d"], of: .test("d"), as: 1)
                _ = try await host.settle(try .test("d", 1, live: tree))
                try #expect(served("abcd", on: host) == "abcd")
                await host.role.receive(.desired([values[1]], .snapshot(index: 1, isLast: true)))
                try await until { try served("abcd", on: host) == "abd" }
            }
        }
    }

    @Test("A snapshot with a missing part, or cut by a new session, removes nothing", arguments: [true, false])
    func brokenSnapshot(byNewSession: Bool) async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let values = try await publish("abc", on: host)
                await host.role.receive(.desired([values[0]], .snapshot(index: 0, isLast: false)))
                if byNewSession { await host.connect() }
                let tombstone = DesiredSite(site: values[1].site, generation: 2, isRemoved: true)
                let last = try .test("c", 2, live: values[2].live, maintenance: "closed") as DesiredSite
                await host.role.receive(
                    .desired([tombstone, last], .snapshot(index: byNewSession ? 1 : 2, isLast: true)))
                // What is to be served is taken from it all the same.
                try await #expect(host.outbox.next(.test("c"), 2).condition == .applied)
                try #expect(host.get("c.localhost").status == 503)
                try #expect(served("ab", on: host) == "ab")
            }
        }
    }

    @Test("The brake sees all removals of a snapshot together, however many parts it has")
    func brakeOverParts() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let values = try await publish("abcdefgh", on: host)
                let tombstones = values.prefix(4).map { DesiredSite(site: $0.site, generation: 2, isRemoved: true) }
                await host.role.receive(.desired(Array(tombstones[..<2]), .snapshot(index: 0, isLast: false)))
                await host.role.receive(
                    .desired(Array(tombstones[2...]) + Array(values[4...]), .snapshot(index: 1, isLast: true)))
                try await #expect(host.outbox.next(.test("a"), 2).refusal?.contains("at once") == true)
                try #expect(served("abcdefgh", on: host) == "abcdefgh")
            }
        }
    }

    @Test("The brake lets a few go, and a small share of many")
    func brakeRule() {
        #expect(!RemovalBrake.refuses(removing: 3, of: 3))
        #expect(RemovalBrake.refuses(removing: 4, of: 79))
        #expect(!RemovalBrake.refuses(removing: 4, of: 80))
        #expect(RemovalBrake.refuses(removing: 6, of: 100))
    }

    @Test("Live, preview, previous and the last three trees stay; older ones, their blobs and old generations go")
    func cleanUp() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                var trees: [DesiredSite.Tree] = []
                for number in 1...8 {
                    trees.append(try await host.store(["index.html": "version \(number)"], of: .test("a"), as: number))
                    _ = try await host.settle(
                        try .test(
                            "a", Int64(number), live: trees[number - 1], previous: number > 1 ? trees[number - 2] : nil)
                    )
                }
                // Twice: what has just come out of use stays for a while, here for none.
                for _ in 0..<64 { try await host.role.cleanUp() }
                let kept = Set(try FileManager.default.contentsOfDirectory(atPath: host.layout.trees))
                #expect(kept == Set(trees.suffix(5).map(\.digest.text)))
                let generations = try FileManager.default.contentsOfDirectory(
                    atPath: "\(host.layout.sites)/\(SiteID.test("a"))")
                #expect(generations.count == 2)
                var blobs = 0
                for shard in try FileManager.default.contentsOfDirectory(atPath: host.layout.root + "/blobs")
                where shard.count == 2 {
                    blobs += try FileManager.default.contentsOfDirectory(atPath: "\(host.layout.root)/blobs/\(shard)")
                        .count
                }
                // A page and a list of files for each tree.
                #expect(blobs == 10)
                // A way back that was kept needs no network, and one that was not is fetched again.
                let requests = host.transfer.requests.count
                try await #expect(host.settle(try .test("a", 20, live: trees[3])).condition == .applied)
                #expect(host.transfer.requests.count == requests)
                try await #expect(host.settle(try .test("a", 21, live: trees[0])).fetchedFiles == 1)
                try #expect(host.get("a.localhost").text == "version 1")
            }
        }
    }

    @Test("What was in use a moment ago is not cleaned up")
    func grace() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root, settings: ServingSettings(upkeepInterval: .seconds(3600)))
            try await host.run {
                for number in 1...6 {
                    let tree = try await host.store(["index.html": "version \(number)"], of: .test("a"), as: number)
                    _ = try await host.settle(try .test("a", Int64(number), live: tree))
                }
                for _ in 0..<64 { try await host.role.cleanUp() }
                try #expect(FileManager.default.contentsOfDirectory(atPath: host.layout.trees).count == 6)
            }
        }
    }

    @Test("Damaged, missing and added files are found and mended, also when the blob itself is damaged")
    func verify() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let tree = try await host.store(
                    ["index.html": "front page", "docs/a.html": "about", "docs/b.html": "bees"], of: .test("a"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: tree))
                try await #expect(host.role.verify(.test("a")).isEmpty)
                let folder = "\(host.layout.trees)/\(tree.digest)"
                // One flipped bit in the file that tree and blob share.
                chmod(folder + "/index.html", 0o644)
                let file = try FileHandle(forUpdating: URL(filePath: folder + "/index.html"))
                try file.write(contentsOf: Data("Front".utf8))
                try file.close()
                try FileManager.default.removeItem(atPath: folder + "/docs/b.html")
                try FileManager.default.createSymbolicLink(
                    atPath: folder + "/docs/passwords", withDestinationPath: "/etc/passwd")
                let damage = try await host.role.verify(.test("a"), mend: true)
                #expect(
                    damage == [
                        TreeDamage(tree: tree.digest, path: "docs/b.html", kind: .missing),
                        TreeDamage(tree: tree.digest, path: "index.html", kind: .changed),
                        TreeDamage(tree: tree.digest, path: "docs/passwords", kind: .added),
                    ])
                try await #expect(host.role.verify(.test("a")).isEmpty)
                try #expect(host.get("a.localhost").text == "front page")
                try #expect(host.get("a.localhost", "/docs/b").text == "bees")
                await #expect(throws: ServiceError.self) { try await host.role.verify(.test("z")) }
            }
        }
    }

    @Test("One site after the other is read again by itself")
    func driftCheck() async throws {
        try await withTemporaryDirectory { root in
            var settings = ServingSettings.quick
            settings.upkeepInterval = .milliseconds(20)
            settings.driftInterval = .zero
            let host = try await ServingHost(root, settings: settings)
            try await host.run {
                let values = try await publish("abc", on: host)
                for value in values {
                    let folder = "\(host.layout.trees)/\(value.live!.digest)"
                    try FileManager.default.removeItem(atPath: folder + "/index.html")
                    try FileManager.default.removeItem(atPath: "\(host.layout.domains)/\(value.liveNames[0])")
                }
                try await until { try served("abc", on: host) == "abc" }
            }
        }
    }

    @Test("A record that cannot be read does not stop the site, and does not let it go back")
    func unreadableRecord() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            let values = try await host.run {
                _ = try await publish("a", on: host)
                return try await publish("a", on: host, generation: 5)
            }
            let folder = "\(host.layout.sites)/\(SiteID.test("a"))"
            let record = folder + "/" + (try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/current"))
            try Data("{ broken".utf8).write(to: URL(filePath: record + "/desired.json"))
            let again = try await ServingHost(root)
            try await again.run {
                try #expect(again.get("a.localhost").text == "site a")
                #expect(await again.inventory().isEmpty)
                #expect(await again.report().sites.first?.state == "pending")
                let older = try DesiredSite.test("a", 4, live: nil)
                try await #expect(again.settle(older).refusal != nil)
                try #expect(again.get("a.localhost").text == "site a")
                try await #expect(again.settle(values[0]).condition == .applied)
                #expect(await again.inventory().map(\.generation) == [5])
            }
        }
    }

    @Test("The number of a generation is in the name of its folder, and survives the way there and back")
    func generationName() throws {
        let digest = ContentDigest(hashing: "state")
        for generation in [0, 1, 42, 99_999_999, 100_000_000, Int64.max] {
            let name = GenerationName(generation: generation, digest: digest)
            #expect(GenerationName(name.description) == name)
        }
        #expect(GenerationName(generation: 42, digest: digest).description == "g00000042-\(digest.abbreviated)")
        for text in [
            "g42-\(digest.abbreviated)", "g00000042", ".g00000042-\(digest.abbreviated)", "g00000042-XYZ", "current",
            "g+0000042-\(digest.abbreviated)",
        ] {
            #expect(GenerationName(text) == nil, "\(text)")
        }
    }
}
