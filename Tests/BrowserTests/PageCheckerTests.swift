import Foundation
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
        _ pages: [String: String], before: [String: String]? = nil, looking: [String] = ["index.html"]
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
                pictures: "/state/pictures", pages: looking)
            // The agent's program, which is built together with these tests.
            let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
                .appending(path: "pagewright-agent").path
            let plan = PageCheckerPlan.plan(
                agent: program, libraryFolders: SwiftRuntime.libraryFolders(), workspace: folder + "/site",
                state: folder + "/state")
            let lines = LineBox()
            let outcome = try await SandboxRunner().run(plan, input: Array(try JSONEncoder().encode(request))) { output in
                if case .line(let text) = output { lines.add(text) }
            }
            let text = try #require(lines.all.last, "\(outcome)")
            let report = try JSONDecoder().decode(BrowserReport.self, from: Data(text.utf8))
            var pictures: [String: Data] = [:]
            for shot in report.screenshots {
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
            rules.isSuperset(of: ["page-overflow", "request-failed", "console-error", "request-foreign", "accessibility-name"]),
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
