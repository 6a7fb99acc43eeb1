import Foundation
import Testing

@testable import Engines

@Suite("The built-in editor changes words")
struct BuiltinWordingTests {
    @Test("A new headline changes the words of the headline and no other byte")
    func headline() async throws {
        try await withBakery { site in
            let before = try site.read("index.html")
            let summary = try site.edit("Change the headline to “Fish & <chips> \"fresh\"”")
            #expect(summary == "Changed the headline of index.html to \"Fish & <chips> \"fresh\"\".")
            let after = try site.read("index.html")
            #expect(after == before.replacing("Bread worth getting up for", with: "Fish &amp; &lt;chips&gt; \"fresh\""))
        }
    }

    @Test("The same request twice changes nothing the second time")
    func idempotence() async throws {
        try await withBakery { site in
            for prompt in [
                "Change the headline to \"A & B\"", "Change the title of about.html to \"A & B\"",
                "Change the description to «A & \"B\"»",
                "Change the accent colour to teal", "Change the link colour to teal",
                "Change the background colour to #fff8e7",
            ] {
                try site.edit(prompt)
                let once = try site.snapshot()
                try site.edit(prompt)
                #expect(try site.snapshot() == once, "\(prompt)")
            }
        }
    }

    @Test(
        "A page is found by its file, its name, its place, its title and its headline",
        arguments: [
            "about.html", "/about.html", "about", "the about page", "About", "\"About\"", "the page \"About us\"",
            "ABOUT.HTML",
        ])
    func page(name: String) async throws {
        try await withBakery { site in
            try site.edit("Change the headline of \(name) to \"New\"")
            #expect(try site.read("about.html").contains("<h1>New</h1>"))
        }
    }

    @Test("Permanent links and tags around all words of a headline stay")
    func headlineMarks() async throws {
        try await withBakery { site in
            try site.write(
                "<h1>The Python Tutorial<a class=\"headerlink\" href=\"#x\" title=\"Permalink\">¶</a></h1>",
                to: "tutorial/index.html")
            try site.write("<h1 class=big>\n  <span><b>Old</b></span>\n</h1>", to: "span.html")
            try site.write("<h1>One <em>two</em> three</h1>", to: "mixed.html")
            try site.edit(
                "Change the headline of tutorial/index.html to \"Learn\". Change the headline of span to \"New\". Change the headline of mixed to \"New\""
            )
            #expect(
                try site.read("tutorial/index.html")
                    == "<h1>Learn<a class=\"headerlink\" href=\"#x\" title=\"Permalink\">¶</a></h1>")
            #expect(try site.read("span.html") == "<h1 class=big>\n  <span><b>New</b></span>\n</h1>")
            #expect(try site.read("mixed.html") == "<h1>New</h1>")
        }
    }

    @Test("Titles and descriptions are changed, or added where they are missing")
    func titleAndDescription() async throws {
        try await withBakery { site in
            try site.write("<!DOCTYPE html>\n<html>\n<head>\n</head>\n<body><p>x</p></body></html>", to: "bare.html")
            try site.write("<!doctype html><p>x", to: "barest.html")
            try site.edit("Change the title to \"A & B\" and the description to «Say \"hi\" & <bye>»")
            try site.edit(
                "Change the title of bare to \"T\"; change the description of bare to \"D\"; change the title of barest.html to \"T\""
            )
            let home = try site.read("index.html")
            #expect(home.contains("<title>A &amp; B</title>"))
            #expect(home.contains("content=\"Say &quot;hi&quot; &amp; &lt;bye&gt;\""))
            #expect(
                try site.read("bare.html").contains(
                    "<head>\n  <title>T</title>\n  <meta name=\"description\" content=\"D\">\n</head>"))
            #expect(try site.read("barest.html") == "<!doctype html>\n  <title>T</title><p>x")
        }
    }

    @Test("Text is replaced in words only, through entities, line breaks and either quotation marks")
    func replace() async throws {
        try await withBakery { site in
            try site.write(
                """
                <!DOCTYPE html><title>Monday</title><style>.Monday{}</style><script>Monday()</script>
                <p class="Monday" title="Monday">Monday, Mondays and <b>Monday</b></p><p>Fish &amp; chips’n’more<br>two
                   words&nbsp;here</p><!-- Monday -->
                """, to: "index.html")
            let summary = try site.edit("Replace \"Monday\" with \"<Tuesday>\" on the home page")
            #expect(summary == "Replaced \"Monday\" with \"<Tuesday>\" 3 times, on index.html.")
            try site.edit("Replace \"Fish & chips'n'more\" with \"Eggs\"")
            try site.edit("Replace \"two words here\" with \"three\"")
            #expect(
                try site.read("index.html") == """
                    <!DOCTYPE html><title>&lt;Tuesday&gt;</title><style>.Monday{}</style><script>Monday()</script>
                    <p class="Monday" title="Monday">&lt;Tuesday&gt;, Mondays and <b>&lt;Tuesday&gt;</b></p><p>Eggs<br>three</p><!-- Monday -->
                    """)
        }
    }

    @Test("Whole words come first, then parts of words, then other capitals")
    func matchOrder() async throws {
        try await withBakery { site in
            try site.write("<p>art, start, ART</p>", to: "index.html")
            try site.edit("Replace \"art\" with \"craft\"")
            #expect(try site.read("index.html") == "<p>craft, start, ART</p>")
            try site.edit("Replace \"star\" with \"x\"")
            #expect(try site.read("index.html") == "<p>craft, xt, ART</p>")
            try site.edit("Replace \"art\" with \"y\" on index.html")
            #expect(try site.read("index.html") == "<p>craft, xt, y</p>")
        }
    }

    @Test("Text that is nowhere is refused and named")
    func missingText() async throws {
        try await withBakery { site in
            let message = try site.refusal("Replace \"Wednesday\" with \"Thursday\"")
            #expect(message.contains("\"Wednesday\""))
        }
    }

    @Test("All requests of a prompt are carried out, or none")
    func allOrNothing() async throws {
        try await withBakery { site in
            try site.refusal("Change the headline to \"A\". Make it pop.")
            try site.refusal("Change the headline to \"A\". Change the headline of nowhere.html to \"B\".")
            let summary = try site.edit("Change the headline to \"A\". Replace \"A\" with \"B\". Add a page called C.")
            #expect(try site.read("index.html").contains("<h1>B</h1>"))
            #expect(
                summary.contains("Changed the headline") && summary.contains("Replaced")
                    && summary.contains("Added the page"))
            #expect(!(try site.snapshot().keys.contains { $0.contains("pagewright-new") }))
        }
    }

    @Test("A refusal says that there is no AI, what can be asked for, and which pages there are")
    func refusals() async throws {
        try await withBakery { site in
            let general = try site.refusal("Make it more modern")
            #expect(
                general.contains("\"Make it more modern\"") && general.contains("no AI")
                    && general.contains("Add a page called"))
            #expect(try site.refusal("Change the headline of the prices page to \"X\"").contains("about.html"))
        }
    }

    @Test("Symbolic links are neither read nor written")
    func links() async throws {
        try await withBakery { site in
            try site.write("<h1>secret Monday</h1>", to: "outside/secret.html")
            let inner = site.folder + "/site"
            try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: inner + "/index.html", withDestinationPath: "../outside/secret.html")
            try FileManager.default.createSymbolicLink(atPath: inner + "/folder", withDestinationPath: "../outside")
            let linked = try BuiltinSite(at: inner, [:])
            try linked.refusal("Change the headline to \"X\"")
            try linked.refusal("Change the headline of folder/secret.html to \"X\"")
            try linked.refusal("Replace \"Monday\" with \"Tuesday\"")
            #expect(try site.read("outside/secret.html") == "<h1>secret Monday</h1>")
        }
    }

    @Test(
        "The process prints events as lines of JSON and says how it ended",
        arguments: [("Change the headline to \"Hi\"", 0), ("Dance", 3)])
    func process(prompt: String, status: Int32) async throws {
        try await withBakery { site in
            let input = Pipe()
            let output = Pipe()
            try input.fileHandleForWriting.write(contentsOf: Data(prompt.utf8))
            try input.fileHandleForWriting.close()
            let result = BuiltinEngineProcess.run(
                input: input.fileHandleForReading.fileDescriptor, output: output.fileHandleForWriting.fileDescriptor,
                folder: site.folder)
            try output.fileHandleForWriting.close()
            #expect(result == status)
            let lines = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self).split(
                separator: "\n")
            let events = try lines.map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            #expect(events.first?["event"] as? String == "progress")
            #expect(events.last?["event"] as? String == (status == 0 ? "finished" : "refused"))
        }
    }
}
