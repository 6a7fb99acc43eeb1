import Domain
import Foundation
import TestSupport
import Testing
import Validation

@testable import Engines

@Suite("The built-in editor on real sites", .serialized)
struct BuiltinRealSiteTests {
    private static let templates = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/Coordinator/Resources/templates")
    private static let documentation = "/usr/share/doc/python3.11/html"

    /// Copies a folder; links become what they lead to.
    private func copy(_ folder: String, to target: String) throws {
        let copy = Process()
        copy.executableURL = URL(filePath: "/bin/cp")
        copy.arguments = ["-rL", folder + "/.", target]
        try copy.run()
        copy.waitUntilExit()
        #expect(copy.terminationStatus == 0)
    }

    /// What the coordinator would say about the site after an edit.
    private func ruling(_ before: [String: Data], _ after: [String: Data]) async throws -> ValidationRuling {
        func manifest(_ files: [String: Data]) throws -> Manifest {
            try Manifest(
                files.map { path, data in
                    var bytes = [UInt8](repeating: 0, count: 32)
                    for (index, byte) in data.enumerated() {
                        bytes[index % 32] = bytes[index % 32] &* 31 &+ byte &+ UInt8(truncatingIfNeeded: index)
                    }
                    return Manifest.Entry(
                        path: try SitePath(path), sizeInBytes: Int64(data.count),
                        digest: try #require(ContentDigest(bytes: bytes)))
                })
        }
        let (old, new) = (try manifest(before), try manifest(after))
        return try await ContentValidator().check(new, parent: old, origin: .edit) { entry in
            let isNew = new.entry(at: entry.path)?.digest == entry.digest
            guard let data = (isNew ? after : before)[entry.path.text] else { return nil }
            return FileFacts.extract(entry.path, from: Array(data))
        }
    }

    @Test(
        "Every kind of edit of a starter template passes the coordinator's checks",
        arguments: ["bakery", "landing", "portfolio"])
    func template(name: String) async throws {
        try await withTemporaryDirectory { folder in
            try copy(Self.templates.appending(path: "\(name)/site").path, to: folder)
            let site = try BuiltinSite(at: folder, [:])
            let original = try site.snapshot()
            let requests = [
                "Change the headline to \"Fish & chips\"", "Change the headline on about.html to \"Who we are\"",
                "Change the title to \"Ours · All ours\"",
                "Change the description of the about page to \"All about us\"",
                "Change the accent colour to rebeccapurple",
                "Change the background colour to #fff8e7", "Change the text colour to black",
                "Change the link colour to navy",
                "Change the button colour to navy", "Change the heading colour to navy", "Replace \"the\" with \"ye\"",
                "Add a page called \"Opening hours\" saying \"From 7 to 5.\"",
                "Add a section called \"News\" to the about page saying \"We moved.\"",
                "Add a section called \"News\" to opening-hours.html", "Remove the section \"News\" from about.html",
                "Change the headline of \"Opening hours\" to \"When\"", "Remove the page \"Opening hours\"",
            ]
            var before = original
            for request in requests {
                try site.edit(request)
                let after = try site.snapshot()
                #expect(after != before, "\(request) changed nothing")
                let ruling = try await ruling(before, after)
                #expect(ruling.errors == [], "\(request)")
                #expect(ruling.warnings == [], "\(request)")
                before = after
            }
            let page = try site.read("index.html")
            #expect(page.contains("<h1>Fish &amp; chips</h1>"))
            // These sites have no colour for buttons alone.
            #expect(try site.read("styles.css").contains("--accent: navy;"))
        }
    }

    @Test("A section of each template is removed, and all links to it", arguments: ["bakery", "landing", "portfolio"])
    func templateSections(name: String) async throws {
        try await withTemporaryDirectory { folder in
            try copy(Self.templates.appending(path: "\(name)/site").path, to: folder)
            let site = try BuiltinSite(at: folder, [:])
            for path in ["index.html", "about.html"] {
                let ids = try site.read(path).matches(of: /<section id="([^"]+)"/).map { String($0.1) }
                #expect(!ids.isEmpty)
                for id in ids {
                    let before = try site.snapshot()
                    try site.edit("Remove the section \"\(id)\" from \(path)")
                    let ruling = try await ruling(before, try site.snapshot())
                    #expect(ruling.errors == [] && ruling.warnings == [], "\(id)")
                }
            }
        }
    }

    @Test("A page of the templates is removed, and all links to it", arguments: ["bakery", "landing", "portfolio"])
    func templatePages(name: String) async throws {
        try await withTemporaryDirectory { folder in
            try copy(Self.templates.appending(path: "\(name)/site").path, to: folder)
            let site = try BuiltinSite(at: folder, [:])
            for page in try site.snapshot().keys.filter({
                $0.hasSuffix(".html") && $0 != "index.html" && $0 != "404.html"
            }) {
                let before = try site.snapshot()
                try site.edit("Remove the page \(page)")
                let ruling = try await ruling(before, try site.snapshot())
                #expect(ruling.errors == [] && ruling.warnings == [], "\(page)")
            }
        }
    }

    @Test("Pages of a site of a thousand files are edited one by one")
    func documentationOfPython() async throws {
        try await withTemporaryDirectory { folder in
            try copy(Self.documentation, to: folder)
            let site = try BuiltinSite(at: folder, [:])
            let tutorial = try site.read("tutorial/index.html")
            #expect(
                try site.edit("Change the headline of tutorial/index.html to \"Learn Python\"")
                    == "Changed the headline of tutorial/index.html to \"Learn Python\".")
            #expect(
                try site.read("tutorial/index.html")
                    == tutorial.replacing("<h1>The Python Tutorial<a", with: "<h1>Learn Python<a"))
            let about = try site.read("about.html")
            try site.edit("Change the headline on about.html to \"Who wrote this\"")
            #expect(
                try site.read("about.html")
                    == about.replacing("<h1>About these documents<a", with: "<h1>Who wrote this<a"))
            try site.edit("Change the headline of the glossary page to \"Words\"")
            #expect(try site.read("glossary.html").contains("Words<a class=\"headerlink\""))
            let summary = try site.edit("Replace \"Fredrik Lundh\" with \"F. Lundh\"")
            #expect(summary == "Replaced \"Fredrik Lundh\" with \"F. Lundh\" 27 times, on 11 pages.")
            try site.edit("Change the background colour to #fffdf5")
            #expect(try site.read("_static/pydoctheme.css").contains("body { background: #fffdf5; }"))
        }
    }
}
