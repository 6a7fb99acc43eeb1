import Foundation
import Glibc
import Sandbox
import TestSupport
import Testing

@testable import Browser

/// With a real Chromium, inside a real sandbox.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PageCheckerTests {
    private static let page = """
        <!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1"><title>T</title>
        <link rel="stylesheet" href="styles.css"></head><body><main><h1>Hello</h1><p>Words</p></main></body></html>
        """

    /// Looks at `pages` in a sandbox of the agent, as a worker does.
    private func report(
        _ pages: [String: String], before: [String: String]? = nil, looking: [String] = ["index.html"],
        start: String? = nil, by given: SandboxRunner? = nil,
        meanwhile: @escaping @Sendable (_ folder: String) async throws -> Void = { _ in }
    ) async throws -> (report: BrowserReport, pictures: [String: Data]) {
        try await withTemporaryDirectory { folder in
            for (name, files) in [("site", pages), ("state/before", before ?? [:]), ("state/pictures", [:])] {
                try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
                for (path, text) in files {
                    try text.write(toFile: "\(folder)/\(name)/\(path)", atomically: true, encoding: .utf8)
                }
            }
            let request = BrowserRequest(
                program: PageCheckerPlan.chromium, folder: "/site", parent: before == nil ? nil : "/state/before",
                pictures: "/state/pictures", pages: looking, start: start)
            // The agent's program, which is built together with these tests.
            let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
                .appending(path: "pagewright-agent").path
            let runner = try given ?? SandboxRunner()
            let plan = PageCheckerPlan.plan(
                agent: program, libraryFolders: SwiftRuntime.libraryFolders(), workspace: folder + "/site",
                state: folder + "/state", isGrouped: runner.controlGroups != nil)
            let lines = LineBox()
            async let other: Void = meanwhile(folder)
            let outcome = try await runner.run(plan, input: Array(try JSONEncoder().encode(request))) { output in
                if case .line(let text) = output { lines.add(text) }
            }
            try await other
            let text = try #require(lines.all.last, "\(outcome)")
            let report = try JSONDecoder().decode(BrowserReport.self, from: Data(text.utf8))
            var pictures: [String: Data] = [:]
            for shot in report.screenshots + report.before {
                pictures[shot.file] = FileManager.default.contents(atPath: "\(folder)/state/pictures/\(shot.file)")
            }
            return (report, pictures)
        }
    }

    @Test("A page without fault has none, and two pictures")
    func clean() async throws {
        let (report, pictures) = try await report(["index.html": Self.page, "styles.css": "h1 { color: navy }"])
        #expect(report.problems.isEmpty, "\(report.problems)")
        let missing = report.checks.filter { $0.obstacle != nil }.map(\.name)
        #expect(missing == [.difference], "\(report.checks)")
        #expect(report.screenshots.map(\.width) == [375, 1280])
        #expect(pictures.values.allSatisfy { $0.starts(with: [0x89, 0x50, 0x4e, 0x47]) } && pictures.count == 2)
    }

    @Test("Overflow, missing files, script errors, foreign requests and nameless buttons are found, each at its page")
    func faults() async throws {
        let page = Self.page.replacingOccurrences(
            of: "<p>Words</p>",
            with: """
                <div id="wide" style="width: 900px">wide</div><button></button><img src="gone.png" alt="x">
                <script>console.error("oh"); undefinedFunction()</script><script src="https://evil.example/x.js"></script>
                """)
        let (report, _) = try await report(["index.html": page, "styles.css": ""])
        let rules = Set(report.problems.map(\.rule))
        #expect(
            rules.isSuperset(of: [
                "page-overflow", "request-failed", "console-error", "request-foreign", "accessibility-name",
            ]),
            "\(report.problems)")
        let overflow = report.problems.filter { $0.rule == "page-overflow" }
        #expect(overflow.map(\.subject) == ["375"])
        #expect(overflow.first?.message.contains("div#wide") == true)
        #expect(report.problems.contains { $0.rule == "request-failed" && $0.subject == "/gone.png" })
    }

    @Test("What changed since the version before is boxed; what did not is not")
    func difference() async throws {
        let files = ["index.html": Self.page, "styles.css": "main { height: 1200px } p { margin-top: 800px }"]
        let (same, _) = try await report(files, before: files)
        #expect(same.screenshots.allSatisfy { $0.changes?.isEmpty == true }, "\(same)")
        var changed = files
        changed["index.html"] = Self.page.replacingOccurrences(of: "Words", with: "Other words")
        let (other, _) = try await report(changed, before: files)
        for shot in other.screenshots {
            let box = try #require(shot.changes?.first)
            #expect(shot.changes?.count == 1 && box.y > 600, "\(shot)")
        }
    }

    @Test("A page is kept as it looked before, beside how it looks now")
    func before() async throws {
        let files = ["index.html": Self.page, "styles.css": ""]
        var changed = files
        changed["index.html"] = Self.page.replacingOccurrences(of: "Words", with: "Other words")
        changed["new.html"] = Self.page
        let (report, pictures) = try await report(changed, before: files, looking: ["index.html", "new.html"])
        #expect(report.screenshots.map(\.page) == ["index.html", "index.html", "new.html", "new.html"])
        #expect(report.before.map(\.page) == ["index.html", "index.html"])
        #expect(report.before.map(\.width) == [375, 1280])
        #expect(Set(pictures.keys).count == 6)
        for (old, new) in zip(report.before, report.screenshots) {
            #expect(pictures[old.file]?.starts(with: [0x89, 0x50, 0x4e, 0x47]) == true)
            #expect(pictures[old.file] != pictures[new.file])
        }
    }

    @Test(
        "What a page's accessibility lost since the version before is said to be worse; what it lacked already is not")
    func worse() async throws {
        let poor = Self.page.replacingOccurrences(of: "<p>Words</p>", with: "<button></button><p id=a></p><p id=a></p>")
        let worse = poor.replacingOccurrences(
            of: "<button></button>", with: "<button></button><button></button><h1>Two</h1><a href=\"/\"></a>")
        let (same, _) = try await report(["index.html": poor, "styles.css": ""], before: ["index.html": poor])
        #expect(Set(same.problems.map(\.rule)).isSuperset(of: ["accessibility-name", "id-twice"]))
        #expect(same.problems.allSatisfy { !$0.isWorse }, "\(same.problems)")
        let (now, _) = try await report(["index.html": worse, "styles.css": ""], before: ["index.html": poor])
        let found = Set(now.problems.filter(\.isWorse).map { "\($0.rule) \($0.subject)" })
        #expect(found == ["accessibility-name button", "accessibility-name link", "heading-one 2"], "\(now.problems)")
        // A new page is measured by the start page.
        let (new, _) = try await report(
            ["index.html": poor, "new.html": worse, "styles.css": ""], before: ["index.html": poor],
            looking: ["new.html"], start: "index.html")
        let newer = Set(new.problems.filter(\.isWorse).map { "\($0.rule) \($0.subject)" })
        #expect(newer == found, "\(new.problems)")
        #expect(new.problems.allSatisfy { $0.page == "new.html" })
    }

    @Test("The start page is taken small as well, also when it is not among the pages that changed")
    func thumbnail() async throws {
        let (report, pictures) = try await report(
            ["index.html": Self.page, "about.html": Self.page, "styles.css": ""], looking: ["about.html"],
            start: "index.html")
        #expect(report.screenshots.map(\.kind) == [.page, .page, .thumbnail])
        let small = try #require(report.screenshots.last)
        #expect(small.page == "index.html" && small.width == 480 && small.height == 300)
        #expect(pictures[small.file]?.starts(with: [0xff, 0xd8]) == true)
        #expect((pictures[small.file]?.count ?? .max) < 100_000)
    }

    @Test("A start page that keeps the browser busy, or is not there, costs its small picture and nothing else")
    func noThumbnail() async throws {
        let busy = Self.page.replacingOccurrences(of: "<p>Words</p>", with: "<script>for (;;) {}</script>")
        for files in [
            ["index.html": busy, "about.html": Self.page, "styles.css": ""],
            ["about.html": Self.page, "styles.css": ""],
        ] {
            let (report, _) = try await report(files, before: files, looking: ["about.html"], start: "index.html")
            #expect(report.checks.allSatisfy { $0.obstacle == nil }, "\(report.checks)")
            #expect(report.screenshots.map(\.kind) == [.page, .page] && report.problems.isEmpty, "\(report)")
        }
    }

    @Test("What is wrong with a start page that did not change is not said of the pages that did")
    func faultyStart() async throws {
        let faulty = Self.page.replacingOccurrences(
            of: "<p>Words</p>", with: "<script>console.error(\"oh\")</script><img src=\"gone.png\" alt=\"x\">")
        let (report, _) = try await report(
            ["index.html": faulty, "about.html": Self.page, "styles.css": ""], looking: ["about.html"],
            start: "index.html")
        #expect(report.problems.isEmpty, "\(report.problems)")
        #expect(report.screenshots.map(\.kind) == [.page, .page, .thumbnail])
    }

    @Test("A picture that would be too large becomes a coarser one")
    func coarse() async throws {
        let noise = """
            <canvas id="c" width="1200" height="3000"></canvas><script>
            const c = document.getElementById('c').getContext('2d'), d = c.createImageData(1200, 3000);
            for (let i = 0; i < d.data.length; i++) d.data[i] = i % 4 == 3 ? 255 : Math.random() * 256;
            c.putImageData(d, 0, 0)</script>
            """
        let (report, pictures) = try await report(
            ["index.html": Self.page.replacingOccurrences(of: "<p>Words</p>", with: noise), "styles.css": ""])
        #expect(!report.screenshots.isEmpty, "\(report.checks)")
        #expect(pictures.values.allSatisfy { $0.count <= BrowserRequest.pictureLimit && !$0.isEmpty })
        #expect(pictures.values.contains { $0.starts(with: [0xff, 0xd8]) })
    }

    @Test("A page that never comes to rest is left, and the others are looked at")
    func stuck() async throws {
        let busy = Self.page.replacingOccurrences(of: "<p>Words</p>", with: "<script>for (;;) {}</script>")
        let (report, _) = try await report(
            ["busy.html": busy, "index.html": Self.page, "styles.css": ""], looking: ["busy.html", "index.html"])
        #expect(report.screenshots.map(\.page) == ["index.html", "index.html"], "\(report)")
        #expect(report.checks.first?.obstacle?.contains("busy.html") == true, "\(report.checks)")
    }

    @Test("What was seen before a browser was killed is kept, and the end is said")
    func killed() async throws {
        var pages = ["styles.css": ""]
        for number in 1...BrowserRequest.pageLimit { pages["\(number).html"] = Self.page }
        let looking = pages.keys.filter { $0.hasSuffix("html") }.sorted()
        let (report, pictures) = try await report(pages, looking: looking) { folder in
            let deadline = ContinuousClock.now + .seconds(120)
            while !FileManager.default.fileExists(atPath: folder + "/state/pictures/0.png") {
                guard ContinuousClock.now < deadline else { throw CancellationError() }
                try await Task.sleep(for: .milliseconds(5))
            }
            let browsers = SandboxedBrowser.processes(seeing: folder)
            #expect(!browsers.isEmpty)
            for browser in browsers { kill(browser, SIGKILL) }
        }
        #expect(report.checks.allSatisfy { $0.obstacle == "\(BrowserError.ended)" }, "\(report.checks)")
        #expect((1..<2 * looking.count).contains(report.screenshots.count))
        #expect(pictures.values.allSatisfy { !$0.isEmpty })
    }

    @Test("Without control groups a page that takes all memory fails, and the others are looked at")
    func withoutControlGroups() async throws {
        let bomb = Self.page.replacingOccurrences(
            of: "<p>Words</p>",
            with: """
                <script>let all = []
                for (let i = 0; i < 64; i++) all.push(new Uint8Array(64 << 20).fill(1))
                document.title = "4 GiB"; console.error("it had them all")</script>
                """)
        let runner = SandboxRunner(tools: try SandboxTools.locate(), controlGroups: nil)
        let (report, _) = try await report(
            ["bomb.html": bomb, "index.html": Self.page, "styles.css": ""], looking: ["bomb.html", "index.html"],
            by: runner)
        #expect(report.screenshots.count { $0.page == "index.html" } == 2, "\(report)")
        #expect(!report.problems.contains { $0.message.contains("had them all") }, "\(report.problems)")
    }

    @Test("A browser that is not there is said, and nothing else happens")
    func absent() {
        let report = PageChecker.check(
            BrowserRequest(
                program: "/nowhere/chromium", folder: "/tmp", parent: nil, pictures: "/tmp", pages: ["index.html"]))
        #expect(report.checks.allSatisfy { $0.obstacle?.contains("could not be started") == true })
    }
}

/// Lines from the sandbox's thread.
private final class LineBox: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []
    func add(_ line: String) { lock.withLock { lines.append(line) } }
    var all: [String] { lock.withLock { lines } }
}
