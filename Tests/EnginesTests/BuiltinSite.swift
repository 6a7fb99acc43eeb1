import Foundation
import TestSupport
import Testing

@testable import Engines

/// A site in a folder of its own, and what the built-in editor says about it.
struct BuiltinSite {
    let folder: String

    init(at folder: String, _ files: [String: String]) throws {
        self.folder = folder
        for (path, text) in files { try write(text, to: path) }
    }

    func write(_ text: String, to path: String) throws {
        let url = URL(filePath: folder).appending(path: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: folder).appending(path: path)), as: UTF8.self)
    }

    func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: folder + "/" + path) }

    /// All files by path.
    func snapshot() throws -> [String: Data] {
        var files: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: folder + "/" + path, isDirectory: &isFolder)
            if !isFolder.boolValue { files[path] = try Data(contentsOf: URL(filePath: folder + "/" + path)) }
        }
        return files
    }

    func events(_ prompt: String) throws -> [BuiltinEvent] {
        var events: [BuiltinEvent] = []
        try BuiltinEditor.apply(prompt, inWorkspaceAt: folder) { events.append($0) }
        return events
    }

    /// Carries a request out and gives the summary.
    @discardableResult
    func edit(_ prompt: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        switch try events(prompt).last {
        case .finished(let summary): return summary
        case let other:
            Issue.record("not carried out: \(String(describing: other))", sourceLocation: sourceLocation)
            return ""
        }
    }

    /// Makes a request that is refused, checks that nothing changed, and gives the message.
    @discardableResult
    func refusal(_ prompt: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let before = try snapshot()
        let last = try events(prompt).last
        #expect(try snapshot() == before, "a refusal changed the site", sourceLocation: sourceLocation)
        guard case .refused(let message) = last else {
            Issue.record("not refused: \(String(describing: last))", sourceLocation: sourceLocation)
            return ""
        }
        return message
    }

    /// A bakery of three pages.
    static let bakery: [String: String] = [
        "index.html": page(
            "Bakery · Bread by the harbour", current: "index.html",
            "<h1>Bread worth getting up for</h1>\n    <p>Open on Monday.</p>"),
        "menu.html": page(
            "Menu · Bakery", current: "menu.html",
            "<h1>Menu</h1>\n    <p>See <a href=\"about.html\">who bakes</a>, or <a href=\"index.html\">go home</a>.</p>"
        ),
        "about.html": page(
            "About · Bakery", current: "about.html",
            "<h1>About <em>us</em></h1>\n    <section id=\"team\">\n      <h2>The team</h2>\n      <p>Joan &amp; Alice’s bread.</p>\n    </section>"
        ),
        "styles.css": """
        :root { --background: #fff; --text: #111; --accent: #a00; }
        @media (prefers-color-scheme: dark) { :root { --background: #111; --accent: #f00; } }
        .card { --accent: blue; }
        body { background: var(--background); color: var(--text); }
        """,
    ]

    static func page(_ title: String, current: String, _ main: String) -> String {
        let links = [("index.html", "Home"), ("menu.html", "Menu"), ("about.html", "About")].map { path, name in
            "        <li><a href=\"\(path)\"\(path == current ? " aria-current=\"page\"" : "")>\(name)</a></li>\n"
        }.joined()
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <title>\(title)</title>
              <meta name="description" content="Old words">
              <link rel="stylesheet" href="styles.css">
            </head>
            <body>
              <header>
                <nav>
                  <ul>
            \(links)      </ul>
                </nav>
              </header>
              <main>
                \(main)
              </main>
              <footer><p>Bakery</p></footer>
            </body>
            </html>

            """
    }
}

func withBakery(_ body: (BuiltinSite) throws -> Void) async throws {
    try await withTemporaryDirectory { folder in try body(try BuiltinSite(at: folder, BuiltinSite.bakery)) }
}
