import Foundation
import TestSupport
import Testing

@testable import Engines

@Suite("The built-in editor changes colours, pages and sections")
struct BuiltinStructureTests {
    @Test("A colour that the style sheet names is changed where it is defined for the whole page")
    func customProperty() async throws {
        try await withBakery { site in
            let before = try site.read("styles.css")
            try site.edit("Change the accent colour to Teal")
            #expect(
                try site.read("styles.css")
                    == before.replacing("--accent: #a00", with: "--accent: teal").replacing(
                        "--accent: #f00", with: "--accent: teal"))
        }
    }

    @Test("Dark mode keeps its background, so that its text stays readable")
    func darkMode() async throws {
        try await withBakery { site in
            let before = try site.read("styles.css")
            let summary = try site.edit("Make the background #FFF8E7")
            #expect(
                try site.read("styles.css") == before.replacing("--background: #fff;", with: "--background: #fff8e7;"))
            #expect(summary.contains("Dark mode"))
        }
    }

    @Test("A colour that has no name gets a rule, and the next change finds it")
    func addedRule() async throws {
        try await withBakery { site in
            let before = try site.read("styles.css")
            try site.edit("Change the link colour to red")
            try site.edit("Change the link colour to blue")
            let after = try site.read("styles.css")
            #expect(after.hasPrefix(before))
            #expect(after.contains("a { color: blue; }") && !after.contains("red;"))
        }
    }

    @Test("A site without a style sheet gets one")
    func newStylesheet() async throws {
        try await withTemporaryDirectory { folder in
            let site = try BuiltinSite(
                at: folder, ["index.html": "<html><head><title>x</title></head><p>y</html>", "a/b.html": "<p>z"])
            try site.edit("Change the background colour to beige")
            #expect(try site.read("styles.css").contains("body { background: beige; }"))
            #expect(try site.read("index.html").contains("href=\"styles.css\""))
            #expect(try site.read("a/b.html").contains("href=\"../styles.css\""))
        }
    }

    @Test("A new page has the layout of the home page, and every navigation leads to it")
    func addPage() async throws {
        try await withBakery { site in
            let about = try site.read("about.html")
            try site.edit("Add a page called \"Über uns & Öffnungszeiten\" saying \"From 7 to <5>.\"")
            let path = "ueber-uns-and-oeffnungszeiten.html"
            let name = "Über uns &amp; Öffnungszeiten"
            let page = try site.read(path)
            #expect(
                page
                    == BuiltinSite.page(
                        "\(name) · Bakery", current: path, "<h1>\(name)</h1>\n    <p>From 7 to &lt;5&gt;.</p>"
                    )
                    .replacing("Old words", with: "From 7 to &lt;5&gt;.")
                    .replacing(
                        "About</a></li>\n",
                        with: "About</a></li>\n        <li><a href=\"\(path)\" aria-current=\"page\">\(name)</a></li>\n"
                    ))
            #expect(
                try site.read("about.html")
                    == about.replacing(
                        "About</a></li>\n", with: "About</a></li>\n        <li><a href=\"\(path)\">\(name)</a></li>\n"))
            try site.refusal("Add a page called \"Über uns & Öffnungszeiten\"")
            try site.refusal("Add a page called About")
            try site.refusal("Add a page called Index")
            try site.refusal("Add a page called \"日本\"")
        }
    }

    @Test("Links in folders, from the root and without .html are written as their neighbours are")
    func linkStyles() async throws {
        func nav(_ prefix: String, _ suffix: String) -> String {
            "<nav><a class=\"active\" href=\"\(prefix)index\(suffix)\">Home</a> | <a href=\"\(prefix)about\(suffix)\">About</a></nav><main><p>x</p></main>"
        }
        try await withTemporaryDirectory { folder in
            let site = try BuiltinSite(
                at: folder,
                [
                    "index.html": nav("", ".html"), "about.html": nav("/", ""),
                    "deep/er/page.html": nav("../../", ".html"),
                ])
            try site.edit("Add a page called FAQ")
            #expect(
                try site.read("about.html").contains("<a href=\"/about\">About</a> | <a href=\"/faq\">FAQ</a></nav>"))
            #expect(try site.read("deep/er/page.html").contains(" | <a href=\"../../faq.html\">FAQ</a></nav>"))
            #expect(
                try site.read("faq.html").contains(
                    "<nav><a href=\"index.html\">Home</a> | <a href=\"about.html\">About</a> | <a href=\"faq.html\" class=\"active\">FAQ</a></nav>"
                ))
        }
    }

    @Test("A removed page leaves no link behind, and no hole in a text")
    func removePage() async throws {
        try await withBakery { site in
            try site.edit("Remove the about page")
            #expect(!site.has("about.html"))
            #expect(
                try site.read("index.html")
                    == BuiltinSite.bakery["index.html"]!.replacing(
                        "        <li><a href=\"about.html\">About</a></li>\n", with: ""))
            #expect(try site.read("menu.html").contains("<p>See who bakes, or <a href=\"index.html\">go home</a>.</p>"))
            try site.refusal("Remove the home page")
            try site.refusal("Remove the page about")
        }
    }

    @Test("Adding a page and removing it again gives the site back, byte by byte")
    func addAndRemovePage() async throws {
        try await withBakery { site in
            let before = try site.snapshot()
            try site.edit("Add a page called Jobs")
            try site.edit("Remove the page Jobs")
            #expect(try site.snapshot() == before)
        }
    }

    @Test("A section is added at the end of the main content, and removed again without a trace")
    func sections() async throws {
        try await withBakery { site in
            let before = try site.snapshot()
            try site.edit("Add a section called \"News & <more>\" to about.html saying \"We moved.\"")
            #expect(
                try site.read("about.html").contains(
                    """
                        </section>

                        <section id="news-and-more">
                          <h2>News &amp; &lt;more&gt;</h2>
                          <p>We moved.</p>
                        </section>
                      </main>
                    """))
            try site.refusal("Add a section called \"News & <more>\" to about.html")
            try site.edit("Remove the section \"News & <more>\"")
            #expect(try site.snapshot() == before)
            try site.edit("Remove the section \"The team\" from the about page")
            #expect(try site.read("about.html").contains("<h1>About <em>us</em></h1>\n  </main>"))
            try site.refusal("Remove the section \"The team\" from the about page")
        }
    }

    @Test("Links to a removed section go with it")
    func sectionLinks() async throws {
        try await withBakery { site in
            try site.write(
                try site.read("index.html").replacing(
                    "<p>Open", with: "<p>Meet <a href=\"about.html#team\">the team</a>. Open"), to: "index.html")
            try site.edit("Remove the section \"The team\"")
            #expect(try site.read("index.html").contains("<p>Meet the team. Open on Monday.</p>"))
        }
    }
}
