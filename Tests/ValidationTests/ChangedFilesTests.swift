import Domain
import Testing
import Validation

@Suite("Checking only what changed")
struct ChangedFilesTests {
    private func examine(
        _ site: TestSite, after parent: TestSite, inherited: [Finding]?
    ) async throws -> (ruling: ValidationRuling, findings: [Finding]) {
        try await ContentValidator().examine(
            site.manifest, parent: parent.manifest, origin: .edit, inherited: inherited
        ) { entry in
            let isNew = site.manifest.entry(at: entry.path)?.digest == entry.digest
            return isNew ? site.facts(entry) : parent.facts(entry)
        }
    }

    @Test("Finds what checking everything finds, for random sites and edits")
    func sameFindings() async throws {
        var generator = SystemRandomNumberGenerator()
        var shortened = 0
        for _ in 0..<300 {
            let before = Self.files(using: &generator)
            var after = before
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let name = before.keys.sorted().randomElement(using: &generator)!
                switch Int.random(in: 0..<8, using: &generator) {
                case 0: after[name] = name == "index.html" ? after[name] : nil
                case 1:
                    let number = Int.random(in: 0..<3, using: &generator)
                    after["new\(number).html"] = Self.randomPage(using: &generator)
                default: after[name] = Self.randomPage(using: &generator)
                }
            }
            let parent = try TestSite(before)
            let site = try TestSite(after)
            let inherited = try await parent.findings()
            let whole = try await examine(site, after: parent, inherited: nil)
            let asked = site.asked.count
            let short = try await examine(site, after: parent, inherited: inherited)
            #expect(short.findings == whole.findings, "\(before) -> \(after)")
            #expect(short.ruling == whole.ruling, "\(before) -> \(after)")
            if site.asked.count - asked < asked { shortened += 1 }
        }
        // Otherwise this compared a thing with itself.
        #expect(shortened > 20)
    }

    @Test("Asks for nothing but the changed file and the places that it links to")
    func asksLittle() async throws {
        var files = ["index.html": page("<a href=\"p1.html#there\">one</a>")]
        for number in 0..<50 { files["p\(number).html"] = page("<p id=\"there\">\(number)</p>") }
        let parent = try TestSite(files)
        files["p7.html"] = page("<p id=\"there\">changed <a href=\"p9.html#there\">nine</a></p>")
        let site = try TestSite(files)
        let inherited = try await parent.findings()
        let result = try await examine(site, after: parent, inherited: inherited)
        #expect(result.findings == [])
        #expect(Set(site.asked) == ["p7.html", "p9.html"])
    }

    private static func files(using generator: inout some RandomNumberGenerator) -> [String: String] {
        var files = ["index.html": randomPage(using: &generator)]
        for number in 0..<5 where Bool.random(using: &generator) {
            files["p\(number).html"] = randomPage(using: &generator)
        }
        if Bool.random(using: &generator) { files["style.css"] = "body { background: url(p1.html) }" }
        return files
    }

    /// A page with a few links and places, some of them wrong.
    private static func randomPage(using generator: inout some RandomNumberGenerator) -> String {
        var content = "<h1>Page</h1>"
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let target = ["p0.html", "p1.html", "P2.html", "p3", "new1.html", "missing.html"].randomElement(
                using: &generator)!
            let place = ["", "#a", "#b", "#%61"].randomElement(using: &generator)!
            content += "<a href=\"\(target)\(place)\">x</a>"
        }
        if Bool.random(using: &generator) { content += "<p id=\"a\">a</p>" }
        if Int.random(in: 0..<4, using: &generator) == 0 { content += "<p id=\"b\">b</p>" }
        if Int.random(in: 0..<4, using: &generator) == 0 { content += "<div>" }
        if Int.random(in: 0..<4, using: &generator) == 0 { content += "<img src=\"none.png\">" }
        return "<!DOCTYPE html><html lang=\"en\"><head><title>t</title></head><body>\(content)</body></html>"
    }
}
