import AgentCore
import Domain
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Worker

/// With a real Chromium, as a worker starts it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct PageLookTests {
    private static let page = """
        <!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1"><title>T</title></head>
        <body><main><h1>Hello</h1><p>Words</p></main></body></html>

        """
    private static let files = ["index.html": page, "about.html": page, "styles.css": "h1 {}\n"]

    /// Takes what the worker says.
    private final class Desk: CheckReporting {
        private let state = Mutex((reports: [PageChecks](), failures: 0))
        let (arrivals, arrival) = AsyncStream.makeStream(of: PageChecks.self)

        func failNext(_ count: Int) { state.withLock { $0.failures = count } }
        var reports: [PageChecks] { state.withLock { $0.reports } }

        func report(_ checks: PageChecks, of lease: JobLease) async throws {
            try state.withLock {
                if $0.failures > 0 {
                    $0.failures -= 1
                    throw ServiceError(.unavailable, "nobody is there")
                }
                $0.reports.append(checks)
            }
            arrival.yield(checks)
        }

        /// The next report; `nil` when none comes for long.
        func next() async -> PageChecks? {
            await withTaskGroup(of: PageChecks?.self) { group in
                group.addTask { [arrivals] in await arrivals.first { _ in true } }
                group.addTask {
                    try? await Task.sleep(for: .seconds(240))
                    return nil
                }
                defer { group.cancelAll() }
                return await group.next() ?? nil
            }
        }
    }

    private static func with(
        _ browser: BrowserChoice = .installed, _ body: (WorkerFixture, Desk, _ looks: String) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let desk = Desk()
            // The agent's program, which is built together with these tests.
            let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
                .appending(path: "pagewright-agent").path
            let inspector = PageInspector(browser: browser, agent: program, directory: folder + "/looks")
            try await WorkerFixture.with(files: files, inspector: inspector, reporting: desk) { worker in
                try await body(worker, desk, folder + "/looks")
            }
        }
    }

    /// What is in the folder for looks, once nothing is or half a minute has passed.
    private static func leftovers(_ looks: String) async -> [String] {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: looks)) ?? []
            if names.isEmpty || ContinuousClock.now > deadline { return names }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func edit(_ old: String, _ new: String) -> String {
        "sed -i 's#\(old)#\(new)#' index.html && echo Done"
    }

    @Test("After a result was taken, errors, missing files and overflow of its pages are handed in with pictures")
    func looks() async throws {
        try await Self.with { worker, desk, looks in
            let faults =
                "<div style=\"width:900px\">wide</div><img src=\"gone.png\" alt=\"x\"><script>console.error(\"oh\")</script>"
            let offer = worker.offer(Self.edit("<p>Words</p>", faults))
            await worker.role.receive(.offer(offer))
            let completion = await worker.ledger.completion(of: offer.lease)
            #expect(completion.look == .follows)
            #expect(desk.reports.isEmpty && worker.transfer.looks == 0)
            await worker.role.receive(.verdict(offer.lease, .applied))
            let report = try #require(await desk.next())
            #expect(report.checks.allSatisfy { $0.obstacle.isEmpty }, "\(report.checks)")
            let rules = Set(report.findings.map(\.rule))
            #expect(rules.isSuperset(of: ["console-error", "request-failed", "page-overflow"]), "\(report.findings)")
            #expect(report.findings.allSatisfy { $0.severity == .warning && $0.path == "index.html" })
            #expect(report.pictures.map(\.kind) == [.page, .page, .thumbnail])
            #expect(report.pictures.map(\.width) == [375, 1280, 480])
            // Only what changed is boxed: the top of the page stayed.
            for picture in report.pictures where picture.kind == .page {
                let boxes = try #require(picture.changes)
                #expect(!boxes.isEmpty && boxes.allSatisfy { $0.y > 20 }, "\(boxes)")
            }
            for picture in report.pictures {
                let bytes = try await worker.transfer.store.read(picture.digest, limit: 4 << 20)
                let found = try #require(PagePicture.measure(bytes))
                #expect(found.width == picture.width && found.height == picture.height)
                #expect(bytes.count == Int(picture.sizeInBytes))
            }
            #expect(await Self.leftovers(looks).isEmpty)
        }
    }

    @Test("Pictures that somebody asked for are taken of the pages that were named, and nothing is changed")
    func asked() async throws {
        try await Self.with { worker, desk, looks in
            var hello = AgentMessage.Hello(
                agentVersion: "1", roles: [.worker], bootID: "b", leases: [], inventory: [], engines: [])
            await worker.role.describe(in: &hello)
            #expect(hello.engines.contains(.browser))
            let offer = worker.offer(
                "Take pictures", engine: .browser, kind: .look, lookPages: [try SitePath("about.html")])
            await worker.role.receive(.offer(offer))
            let completion = await worker.ledger.completion(of: offer.lease)
            #expect(completion.look == .follows && completion.changes?.isEmpty == true)
            await worker.role.receive(.verdict(offer.lease, .applied))
            let report = try #require(await desk.next())
            #expect(report.pictures.map(\.page.text) == ["about.html", "about.html", "index.html"])
            #expect(report.pictures.allSatisfy { $0.changes == nil } && report.before.isEmpty)
            #expect(report.checks.count == 5 && report.checks.allSatisfy { $0.obstacle.isEmpty }, "\(report.checks)")
            #expect(await Self.leftovers(looks).isEmpty)
        }
    }

    @Test("Without a browser a worker offers no looks")
    func offersNone() async throws {
        try await Self.with(.off) { worker, _, _ in
            var hello = AgentMessage.Hello(
                agentVersion: "1", roles: [.worker], bootID: "b", leases: [], inventory: [], engines: [])
            await worker.role.describe(in: &hello)
            #expect(!hello.engines.contains(.browser))
        }
    }

    @Test("A coordinator that is away for a while gets the report when it is back")
    func away() async throws {
        try await Self.with { worker, desk, _ in
            let offer = worker.offer(Self.edit("Words", "Other words"))
            await worker.role.receive(.offer(offer))
            _ = await worker.ledger.completion(of: offer.lease)
            worker.transfer.failNext(2)
            desk.failNext(2)
            await worker.role.receive(.verdict(offer.lease, .duplicate))
            let report = try #require(await desk.next())
            #expect(report.findings.isEmpty && report.pictures.count == 3)
        }
    }

    @Test("Without a browser the edit succeeds all the same, and says why nobody looks")
    func withoutBrowser() async throws {
        for (choice, words) in [
            (BrowserChoice.off, "--browser off"), (.at("/nowhere/chromium"), "no program /nowhere/chromium"),
            (.at("/usr"), "no program /usr"),
        ] {
            try await Self.with(choice) { worker, desk, _ in
                let completion = await worker.run(Self.edit("Words", "Other words"))
                #expect(completion.changes?.upserts.count == 1)
                guard case .impossible(let reason) = completion.look else {
                    Issue.record("\(completion.look)")
                    return
                }
                #expect(reason.contains(words))
                await worker.role.receive(.verdict(completion.lease, .applied))
                #expect(desk.reports.isEmpty)
            }
        }
    }

    @Test("A browser that is killed in the middle is said in the manifest of checks, and the version is there already")
    func killed() async throws {
        try await Self.with { worker, desk, looks in
            // Both pages are looked at, because what both of them may load has changed.
            let offer = worker.offer("echo 'h1 { color: navy }' > styles.css && echo Done")
            await worker.role.receive(.offer(offer))
            let completion = await worker.ledger.completion(of: offer.lease)
            #expect(completion.changes?.upserts.count == 1 && completion.look == .follows)
            await worker.role.receive(.verdict(offer.lease, .applied))
            // The second picture begins when the first was compared and is in the report.
            let first = "\(looks)/\(offer.lease.job)-1/state/pictures/1.png"
            let deadline = ContinuousClock.now + .seconds(120)
            while !FileManager.default.fileExists(atPath: first), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(5))
            }
            let browsers = SandboxedBrowser.processes(seeing: "\(looks)/\(offer.lease.job)-1")
            #expect(!browsers.isEmpty)
            for browser in browsers { kill(browser, SIGKILL) }
            let report = try #require(await desk.next())
            #expect(report.checks.count == PageChecks.Check.Name.allCases.count)
            #expect(report.checks.allSatisfy { $0.obstacle.contains("ended by itself") }, "\(report.checks)")
            #expect((1..<4).contains(report.pictures.count), "what was seen until then is kept")
            #expect(!report.before.isEmpty, "of the version before, too")
            #expect(await Self.leftovers(looks).isEmpty)
        }
    }

    @Test("A result that was not taken is not looked at, nor one that nobody waits for")
    func unwanted() async throws {
        try await Self.with { worker, desk, looks in
            let stale = await worker.run(Self.edit("Words", "Stale words"))
            #expect(stale.look == .follows)
            await worker.role.receive(.verdict(stale.lease, .stale))
            worker.transfer.refuseLooks()
            let refused = await worker.run(Self.edit("Words", "Refused words"))
            await worker.role.receive(.verdict(refused.lease, .applied))
            // The next one is taken after those.
            let plain = await worker.run("rm about.html && echo Done")
            #expect(plain.look == .follows)
            #expect(desk.reports.isEmpty && worker.transfer.looks == 0)
            #expect(await Self.leftovers(looks).isEmpty)
        }
    }

    @Test("An edit that changes no page, or nothing at all, is not looked at")
    func nothingToSee() async throws {
        try await Self.with { worker, _, _ in
            let none = await worker.run("echo Nothing")
            #expect(none.look == .none && none.failure?.code == "nothing-changed")
        }
    }
}
