import Foundation
import Markup
import TestSupport
import Testing

@testable import Engines

@Suite("The built-in editor on broken pages")
struct BuiltinFuzzTests {
    private static let prompts = [
        "Change the headline to \"<b>&\\\"x\"", "Change the title to \"</title><script>\"",
        "Change the description to \"'>\"", "Replace \"a\" with \"<\"",
        "Change the accent colour to red", "Change the link colour to red", "Add a page called \"</h1>\"",
        "Remove the page about",
        "Add a section called \"</section>\" saying \"-->\"", "Remove the section team",
        "Remove the section \"The team\" from about.html",
    ]
    private static let scraps = [
        "<", ">", "</", "\"", "'", "<!--", "-->", "<h1>", "</h1>", "<main>", "</main>", "<nav>", "</nav>", "<section>",
        "</section>", "<p>", "</p>", "<table>",
        "<script>", "</script>", "<svg>", "</svg>", "<title>", "</title>", "&amp;", "&#0;", "<template>", "<select>",
        "<form>", "</form>", "<li>", "</ul>",
        "<a href=about.html>", "</a>", "\u{0}", "<b>", "</i>", "<plaintext>", "<frameset>", "</body>", "<math>", "}",
        "{", "/*", "*/", "é", "<base href=//x/>",
    ]

    private static func mutated(_ text: String, _ generator: inout SeededGenerator) -> Data {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            let at = Int.random(in: 0...bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes.insert(contentsOf: Array(scraps.randomElement(using: &generator)!.utf8), at: at)
            case 1: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 0..<60, using: &generator)))
            case 2: if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &generator) }
            default:
                let end = min(bytes.count, at + Int.random(in: 0..<200, using: &generator))
                bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &generator))
            }
        }
        return Data(bytes)
    }

    @Test("Thousands of mutated sites are edited or refused, never spoilt", arguments: 0..<10)
    func mutations(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        try await withTemporaryDirectory { folder in
            var finished = 0
            for round in 0..<150 {
                let site = folder + "/\(round)"
                try FileManager.default.createDirectory(atPath: site, withIntermediateDirectories: true)
                for (path, text) in BuiltinSite.bakery {
                    try Self.mutated(text, &generator).write(to: URL(filePath: site + "/" + path))
                }
                let edited = try BuiltinSite(at: site, [:])
                let prompt = Self.prompts.randomElement(using: &generator)!
                let before = try edited.snapshot()
                switch try edited.events(prompt).last {
                case .finished: finished += 1
                case .refused: #expect(try edited.snapshot() == before)
                default: Issue.record("no end")
                }
                for (path, data) in try edited.snapshot() where path.hasSuffix(".html") && data != before[path] {
                    _ = try HTMLDocument(parsing: Array(data))
                }
                try FileManager.default.removeItem(atPath: site)
            }
            #expect(finished > 30)
        }
    }

    @Test("What is written into a page is text, whatever it looks like")
    func escaping() async throws {
        let hostile = "</h1><script>alert(1)</script><img src=x onerror=y>\"'&lt;"
        try await withBakery { site in
            func elements(_ path: String) throws -> [String] {
                try HTMLDocument(parsing: site.read(path)).elements.map(\.name)
            }
            let before = try elements("index.html")
            try site.edit(
                "Change the headline to «\(hostile)». Change the title to «\(hostile)». Change the description to «\(hostile)»"
            )
            try site.edit("Replace \"Open on Monday.\" with «\(hostile)»")
            #expect(try elements("index.html") == before)
            let document = try HTMLDocument(parsing: try site.read("index.html"))
            #expect(document.firstElement(named: "h1")?.textContent == hostile)
            #expect(document.firstElement(named: "title")?.textContent == hostile)
            #expect(document.elements(named: "meta").contains { $0["content"] == hostile })
            try site.edit(
                "Add a page called «\(hostile)» saying «\(hostile)». Add a section called «\(hostile)» saying «\(hostile)»"
            )
            let scripts = try site.snapshot().keys.filter { $0.hasSuffix(".html") }.flatMap { try elements($0) }.filter
            { $0 == "script" || $0 == "img" }
            #expect(scripts.isEmpty)
        }
    }
}
