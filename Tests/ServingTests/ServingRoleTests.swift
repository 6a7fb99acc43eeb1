import AgentCore
import Artifacts
import Domain
import Foundation
import Nginx
import Serving
import TestSupport
import Testing

@Suite("The serving role") struct ServingRoleTests {
    @Test("A first version is fetched, built and seen at both names; the status says what it cost")
    func firstVersion() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let tree = try await host.store(["index.html": "one", "css/site.css": "p{}"], of: .test("a"), as: 1)
                let status = try await host.settle(try .test("a", 1, live: tree, preview: tree))
                #expect(status.condition == .applied)
                #expect(status.fetchedFiles == 2 && status.fetchedBytes == 6 + 100)
                for name in ["a.localhost", "a--preview.localhost"] {
                    let answer = try host.get(name)
                    #expect(answer.text == "one")
                    #expect(answer.headers["x-pagewright-version"] == tree.digest.abbreviated)
                }
                try #expect(host.get("a.localhost", "/css/site.css").text == "p{}")
                #expect(host.transfer.requests.allSatisfy { $0 == .site(.test("a")) })
                let line = try #require(await host.report().sites.first)
                #expect(
                    line.state == "applied" && line.generation == 1
                        && line.names == ["a.localhost", "a--preview.localhost"])
            }
        }
    }

    @Test("A changed file is all that moves, and the version before helps with the list of files")
    func delta() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                var files = Dictionary(uniqueKeysWithValues: (1...50).map { ("page-\($0).html", "page \($0)") })
                let first = try await host.store(files, of: .test("a"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: first))
                files["page-7.html"] = "changed page"
                let second = try await host.store(files, of: .test("a"), as: 2)
                let status = try await host.settle(try .test("a", 2, live: second, previous: first))
                #expect(status.fetchedFiles == 1 && status.fetchedBytes == 12 + 100)
                #expect(host.transfer.known.last == [first.digest])
                try #expect(host.get("a.localhost", "/page-7").text == "changed page")
            }
        }
    }

    @Test("A file that the version before should have left on the host, and did not, is fetched again")
    func lostBlob() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let files = ["index.html": "one", "lost.html": "lost"]
                let first = try await host.store(files, of: .test("a"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: first))
                let name = ContentDigest(hashing: "lost").text
                try FileManager.default.removeItem(atPath: "\(host.layout.root)/blobs/\(name.prefix(2))/\(name)")
                let second = try await host.store(
                    ["index.html": "two", "lost.html": "lost"], of: .test("a"), as: 2)
                let status = try await host.settle(try .test("a", 2, live: second, previous: first))
                #expect(status.condition == .applied && status.fetchedFiles == 2)
                try #expect(host.get("a.localhost", "/lost").text == "lost")
            }
        }
    }

    @Test(
        "Publishing, rolling back, names, maintenance and removal do without a reload, and without the network when the files are there"
    )
    func noReload() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let process = await host.nginx.status.processID
                let one = try await host.store(["index.html": "one", "app.12345678.js": "1"], of: .test("a"), as: 1)
                let two = try await host.store(["index.html": "two", "404.html": "lost"], of: .test("a"), as: 2)
                _ = try await host.settle(try .test("a", 1, live: one, preview: two))
                let requests = host.transfer.requests.count

                try await #expect(
                    host.settle(try .test("a", 2, live: two, preview: two, previous: one)).condition == .applied)
                try #expect(host.get("a.localhost").text == "two")
                try #expect(host.get("a.localhost", "/app.12345678.js").text == "1")
                try #expect(host.get("a.localhost", "/nope").text == "lost")

                try await #expect(host.settle(try .test("a", 3, live: one, previous: two)).condition == .applied)
                try #expect(host.get("a.localhost").text == "one")
                try #expect(host.get("a--preview.localhost").status == 404)

                let names = ["a.localhost", "www.example.org", "example.org"]
                try await #expect(host.settle(try .test("a", 4, live: one, names: names)).condition == .applied)
                for name in names { try #expect(host.get(name).text == "one") }

                try await #expect(
                    host.settle(try .test("a", 5, live: one, names: ["example.org"])).condition == .applied)
                try #expect(host.get("www.example.org").status == 421)
                try #expect(host.get("example.org").text == "one")

                let closed = try await host.settle(
                    try .test("a", 6, live: one, preview: two, maintenance: "Back at <noon> & later"))
                #expect(closed.condition == .applied && closed.fetchedFiles == 0 && closed.fetchedBytes == 0)
                let page = try host.get("a.localhost", "/anything")
                #expect(page.status == 503 && page.text.contains("Back at &lt;noon&gt; &amp; later"))
                #expect(page.headers["retry-after"] == "60")
                try #expect(host.get("a--preview.localhost").text == "two")

                try await #expect(host.settle(try .test("a", 7, live: one)).condition == .applied)
                try #expect(host.get("a.localhost").text == "one")

                let removed = DesiredSite(site: .test("a"), generation: 8, isRemoved: true)
                try await #expect(host.settle(removed).condition == .applied)
                try #expect(host.get("a.localhost").status == 421)
                #expect(await host.report().sites.isEmpty)

                #expect(host.transfer.requests.count == requests)
                let status = await host.role.nginxStatus
                #expect(
                    status.reloads == 0 && status.generation == 1 && status.processID == process && status.restarts == 0
                )
            }
        }
    }

    @Test("A generation never goes back, and means one state only")
    func generations() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
                let two = try await host.store(["index.html": "two"], of: .test("a"), as: 2)
                let current = try DesiredSite.test("a", 5, live: two)
                _ = try await host.settle(current)
                // An older one is answered with what there is.
                await host.want(try .test("a", 4, live: one))
                try await #expect(host.outbox.next(.test("a"), 5).condition == .applied)
                try #expect(host.get("a.localhost").text == "two")
                // The same once more is fine.
                try await #expect(host.settle(current).condition == .applied)
                // Another state under the same number is not.
                let other = try await host.settle(try .test("a", 5, live: one))
                #expect(other.refusal?.contains("another state") == true)
                try #expect(host.get("a.localhost").text == "two")
                // Nor does a removal of an old generation remove anything.
                await host.want(DesiredSite(site: .test("a"), generation: 4, isRemoved: true))
                try await #expect(host.outbox.next(.test("a"), 5).condition == .applied)
                try #expect(host.get("a.localhost").text == "two")
                #expect(await host.inventory().map(\.generation) == [5])
            }
        }
    }

    @Test("A removed site does not come back with an older generation, also after a restart")
    func tombstone() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
            try await host.run {
                _ = try await host.settle(try .test("a", 1, live: one))
                _ = try await host.settle(DesiredSite(site: .test("a"), generation: 3, isRemoved: true))
            }
            let again = try await ServingHost(root)
            try await again.run {
                await again.want(try .test("a", 2, live: one))
                try await #expect(again.outbox.next(.test("a"), 3).condition == .applied)
                try #expect(again.get("a.localhost").status == 421)
                try await #expect(again.settle(try .test("a", 4, live: one)).condition == .applied)
                try #expect(again.get("a.localhost").text == "one")
            }
        }
    }

    @Test("A version whose signature is not the coordinator's is not even fetched")
    func signature() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: one))
                let requests = host.transfer.requests.count
                let good = try await host.store(["index.html": "two"], of: .test("a"), as: 2)
                let foreign = try await host.store(["index.html": "two"], of: .test("b"), as: 2)
                let forged = [
                    DesiredSite.Tree(number: good.number, digest: good.digest, signature: []),
                    DesiredSite.Tree(number: good.number, digest: good.digest, signature: foreign.signature),
                    DesiredSite.Tree(number: good.number.next, digest: good.digest, signature: good.signature),
                    DesiredSite.Tree(number: good.number, digest: good.digest, signature: one.signature),
                ]
                for (index, tree) in forged.enumerated() {
                    let status = try await host.settle(try .test("a", Int64(2 + index), live: one, preview: tree))
                    #expect(status.refusal?.contains("signature") == true)
                }
                #expect(host.transfer.requests.count == requests)
                try #expect(host.get("a.localhost").text == "one")
                try #expect(host.get("a--preview.localhost").status == 404)
                #expect(await host.report().sites.first?.state == "refused")
            }
        }
    }

    @Test("What cannot be fetched is refused, tried again, and served in the end; visitors notice nothing")
    func retry() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: one))
                let two = try await host.store(["index.html": "two"], of: .test("a"), as: 2)
                host.transfer.fail(with: ServiceError(.unavailable, "the coordinator is away"))
                for _ in 1...3 {
                    let status =
                        host.outbox.statuses.contains { $0.generation == 2 }
                        ? try await host.outbox.next(.test("a"), 2)
                        : try await host.settle(try .test("a", 2, live: two))
                    #expect(status.refusal?.contains("the coordinator is away") == true)
                    try #expect(host.get("a.localhost").text == "one")
                }
                host.transfer.fail(with: nil)
                var status = try await host.outbox.next(.test("a"), 2)
                while status.condition != .applied { status = try await host.outbox.next(.test("a"), 2) }
                try #expect(host.get("a.localhost").text == "two")
            }
        }
    }

    @Test("A newer state does not wait for an older one that is still being fetched")
    func newestWins() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: one))
                let two = try await host.store(["index.html": "two"], of: .test("a"), as: 2)
                host.transfer.hold()
                var began = host.transfer.began.stream.makeAsyncIterator()
                // Those of the first version.
                for _ in 0..<2 { await began.next() }
                await host.want(try .test("a", 2, live: two))
                await began.next()
                try await #expect(host.settle(try .test("a", 3, live: one, maintenance: "")).condition == .applied)
                try #expect(host.get("a.localhost").status == 503)
                host.transfer.release()
                #expect(!host.outbox.statuses.contains { $0.generation == 2 })
            }
        }
    }

    @Test("Many sites come at once; one that fails does not hold up the others")
    func manySites() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let letters = Array("bcdefghjkmnpqrstvwxyz")
                var values: [DesiredSite] = []
                for letter in letters {
                    let tree = try await host.store(["index.html": "site \(letter)"], of: .test(letter), as: 1)
                    values.append(try .test(letter, 1, live: tree))
                }
                let forged = DesiredSite.Tree(number: .first, digest: values[0].live!.digest, signature: [])
                values.append(try .test("a", 1, live: forged))
                await host.role.receive(.desired(values, .whole))
                while host.outbox.statuses.count < values.count { try await Task.sleep(for: .milliseconds(10)) }
                for letter in letters { try #expect(host.get("\(letter).localhost").text == "site \(letter)") }
                #expect(host.outbox.statuses.count { $0.condition == .applied } == letters.count)
                try #expect(host.get("a.localhost").status == 421)
            }
        }
    }

    @Test("A name can move from one site to another, in either order")
    func movedName() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let a = try await host.store(["index.html": "site a"], of: .test("a"), as: 1)
                let b = try await host.store(["index.html": "site b"], of: .test("b"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: a, names: ["shop.example"]))
                // The new owner comes first.
                _ = try await host.settle(try .test("b", 1, live: b, names: ["shop.example"]))
                try #expect(host.get("shop.example").text == "site b")
                _ = try await host.settle(try .test("a", 2, live: a))
                try #expect(host.get("shop.example").text == "site b")
                // The old owner comes first.
                _ = try await host.settle(try .test("b", 2, live: b))
                try #expect(host.get("shop.example").status == 421)
                _ = try await host.settle(try .test("a", 3, live: a, names: ["shop.example"]))
                try #expect(host.get("shop.example").text == "site a")
            }
        }
    }

    @Test("A restarted host serves everything at once, without a coordinator, and says what it has")
    func restart() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
            let before = try await host.run {
                _ = try await host.settle(try .test("a", 7, live: one, preview: one))
                let b = try await host.store(["index.html": "b"], of: .test("b"), as: 1)
                _ = try await host.settle(try .test("b", 3, live: b, maintenance: "closed"))
                return await host.inventory()
            }
            let again = try await ServingHost(root)
            try await again.run(session: false) {
                try #expect(again.get("a.localhost").text == "one")
                try #expect(again.get("b.localhost").status == 503)
                #expect(await again.inventory() == before)
                #expect(before.map(\.generation) == [7, 3])
                #expect(again.transfer.requests.isEmpty)
                // And it goes on from there.
                await again.connect()
                try await #expect(again.settle(try .test("b", 4, live: nil)).condition == .applied)
            }
        }
    }

    @Test("App mode and the page for missing addresses come and go with a state, and outlive a restart")
    func addresses() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            let pages = try AddressRules(missingPage: "errors/lost.html")
            let app = try AddressRules(mode: .spa, missingPage: "gone.html")
            try await host.run {
                let tree = try await host.store(
                    ["index.html": "front", "404.html": "plainly lost", "errors/lost.html": "lost"], of: .test("a"),
                    as: 1)
                let process = await host.nginx.status.processID
                _ = try await host.settle(try .test("a", 1, live: tree, preview: tree, addresses: pages))
                for name in ["a.localhost", "a--preview.localhost"] {
                    let missing = try host.get(name, "/nope")
                    #expect(missing.status == 404 && missing.text == "lost")
                }
                _ = try await host.settle(try .test("a", 2, live: tree, preview: tree))
                try #expect(host.get("a.localhost", "/nope").text == "plainly lost")
                _ = try await host.settle(try .test("a", 3, live: tree, preview: tree, addresses: app))
                for name in ["a.localhost", "a--preview.localhost"] {
                    let deep = try host.get(name, "/shop/7")
                    #expect(deep.status == 200 && deep.text == "front")
                    // The version has no such page.
                    try #expect(host.get(name, "/nope.png").text == "plainly lost")
                }
                #expect(await host.nginx.status.reloads == 0)
                #expect(await host.nginx.status.processID == process)
            }
            let again = try await ServingHost(root)
            try await again.run(session: false) {
                try #expect(again.get("a.localhost", "/shop/7").text == "front")
                #expect(await again.inventory().map(\.generation) == [3])
            }
        }
    }

    @Test("An nginx that dies is started again, and the state comes into force then")
    func nginxDies() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
                let two = try await host.store(["index.html": "two"], of: .test("a"), as: 2)
                _ = try await host.settle(try .test("a", 1, live: one))
                kill(try #require(await host.nginx.status.processID), SIGKILL)
                var status = try await host.settle(try .test("a", 2, live: two))
                while status.condition != .applied { status = try await host.outbox.next(.test("a"), 2) }
                try #expect(host.get("a.localhost").text == "two")
            }
        }
    }

    @Test("A role without nginx says what to do")
    func noNginx() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let other = try await ServingHost(root + "/other")
                let controller = NginxController(
                    settings: ServingRole.nginxSettings(for: other.layout, listen: [host.address]), logger: .quiet)
                await #expect(throws: NginxError.self) { try await controller.run() }
                #expect(await controller.status.problem?.message.contains("port \(host.address.port)") == true)
            }
        }
    }
}
