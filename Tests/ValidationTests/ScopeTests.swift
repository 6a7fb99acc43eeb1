import Domain
import Testing
import Validation

@Suite("How far a change may go")
struct ScopeTests {
    private let site = GuardSite(["contact.html": GuardSite.page("Contact"), "styles.css": "body {}"])

    @Test("Says how many files changed, and how many of them the request did not name")
    func scope() async throws {
        let changed = site.changing("about.html", "three", "four").changing("styles.css", "{}", "{ margin: 0 }")
        let review = try await changed.review("On about.html, say that we are four")
        #expect(review.scope == ChangeScope(changed: 2, total: 7, outside: 1))
        #expect(review.scope.sentence == "2 of 7 files changed, 1 outside scope")
        #expect(
            review.findings.map { "\($0.severity.rawValue) \($0.rule) \($0.path)" } == [
                "warning outside-scope styles.css"
            ])
    }

    @Test(
        "Finds the files that a request names",
        arguments: [
            ("Change about.html", ["about.html"]), ("On the about page, say four", ["about.html"]),
            ("Change the home page", ["index.html"]),
            ("Change the contact page and the about page", ["about.html", "contact.html"]),
            ("Make the headline larger", []), ("Set margin in styles.css to 0.", ["styles.css"]),
            ("Tell visitors about our new page", []),
        ])
    func names(request: String, files: [String]) throws {
        let paths = try site.before.keys.map { try SitePath($0) }
        #expect(RequestWords(request).namedFiles(among: paths).map(\.text).sorted() == files)
    }

    @Test("A request that names no file means the whole site")
    func everywhere() async throws {
        let changed = site.changing("about.html", "three", "four").changing(
            "contact.html", "Contact</h1>", "Reach us</h1>")
        #expect(try await changed.review("Say it in other words").scope.outside == 0)
    }

    @Test("Pages that only follow a page that came or went are within scope")
    func follows() async throws {
        let removed = site.removing("about.html").home("<a href=\"about.html\">About</a>", "")
            .changing("contact.html", "<a href=\"about.html\">About</a>", "")
        let review = try await removed.review("Delete about.html")
        #expect(review.scope == ChangeScope(changed: 3, total: 6, outside: 0) && review.findings.isEmpty)
    }

    @Test(
        "A locked file refuses, whatever was asked for",
        arguments: [
            ("about.html", true), ("*.html", true), ("**/*.css", false), ("styles.css", false), ("legal/", false),
            ("**", true),
        ])
    func locks(pattern: String, isLocked: Bool) async throws {
        let changed = site.changing("about.html", "three", "four")
        let findings = try await changed.review("Change about.html", locks: [pattern]).findings
        #expect(findings.map(\.rule) == (isLocked ? ["file-locked"] : []))
        #expect(findings.allSatisfy { $0.severity == .error })
        #expect(GuardRule.fileLocked.isAcceptable == false)
    }

    @Test("Whoever removes or adds a locked file touches it too")
    func lockedNames() async throws {
        #expect(
            try await site.adding("legal/new.html", GuardSite.page("New")).review("Add a page", locks: ["legal/"])
                .findings.map(\.rule) == ["file-locked"])
        #expect(
            try await site.removing("contact.html").review("Remove the contact page", locks: ["contact.html"])
                .findings.map(\.rule) == ["file-locked"])
    }
}

@Suite("What a change must not make worse")
struct NotWorseTests {
    private let site = GuardSite()

    @Test("An image without a description, a lost title and a lost language are found, old ones are not")
    func accessibility() async throws {
        #expect(
            try await site.home("<p>Welcome.</p>", "<img src=\"market.jpg\"><p>Welcome.</p>").errors("Add a picture")
                == ["image-alt-worse index.html"])
        #expect(try await site.home("<title>Bakery</title>", "").errors("Fix the head") == ["title-worse index.html"])
        #expect(try await site.home("<html lang=\"en\">", "<html>").errors("Fix the head") == ["lang-worse index.html"])
        var old = GuardSite()
        old.before["index.html"] = "<!DOCTYPE html><html><body><h1>x</h1><img src=\"oven.jpg\"></body></html>"
        old.after = old.before
        #expect(try await old.home("<h1>x</h1>", "<h1>y</h1>").errors("Change the headline") == [])
        #expect(try await old.adding("new.html", old.before["index.html"] ?? "").errors("Add a page") == [])
    }

    @Test("A page over its budget may not become heavier; one within it may grow")
    func weight() async throws {
        let budget = WeightBudget(page: 3000, file: 1500)
        let larger = site.home("<p>Welcome.</p>", "<p>Welcome.</p><img src=\"new.jpg\" alt=\"\">")
        let small = larger.adding("new.jpg", String(repeating: "x", count: 100))
        #expect(try await small.review("Add a picture", budget: budget).findings.isEmpty)
        let large = larger.adding("new.jpg", String(repeating: "x", count: 5000))
        let findings = try await large.review("Add a picture", budget: budget).findings
        #expect(
            findings.map { "\($0.severity.rawValue) \($0.rule)" }.sorted() == [
                "error page-heavy", "warning file-heavy",
            ])
        var heavy = large
        heavy.before = heavy.after
        #expect(try await heavy.home("Welcome.", "Hello.").review("Say hello", budget: budget).findings.isEmpty)
    }

    @Test("A page within its budget may not become much heavier unasked, with what it loads or by itself")
    func growth() async throws {
        let budget = WeightBudget(page: 100_000, file: 50_000, growth: 2000)
        func rules(_ site: GuardSite, _ request: String) async throws -> [String] {
            try await site.review(request, budget: budget).findings.map {
                "\($0.severity.rawValue) \($0.rule) \($0.path)"
            }
        }
        let pictured = site.home("<p>Welcome.</p>", "<p>Welcome.</p><img src=\"new.jpg\" alt=\"\">")
        let heavier = pictured.adding("new.jpg", String(repeating: "x", count: 5000))
        #expect(try await rules(heavier, "Say welcome more warmly") == ["error page-heavier index.html"])
        #expect(try await rules(heavier, "Add a photo of the oven").isEmpty)
        let little = pictured.adding("new.jpg", String(repeating: "x", count: 1500))
        #expect(try await rules(little, "Say welcome more warmly").isEmpty)

        // No page changed, and every page that loads it became heavier.
        let inPlace = site.adding("oven.jpg", String(repeating: "x", count: 5000))
        #expect(try await rules(inPlace, "Say welcome more warmly") == ["error file-heavier oven.jpg"])
        #expect(try await rules(inPlace, "Use the new oven.jpg").isEmpty)

        // Of a heavy page that much is little.
        var heavy = site.adding("oven.jpg", String(repeating: "x", count: 20_000))
        heavy.before = heavy.after
        let grown = heavy.home("<p>Welcome.</p>", "<p>Welcome.</p><img src=\"new.jpg\" alt=\"\">")
            .adding("new.jpg", String(repeating: "x", count: 5000))
        #expect(try await rules(grown, "Say welcome more warmly").isEmpty)
        #expect(GuardRule.pageHeavier.isAcceptable && GuardRule.fileHeavier.isAcceptable)
    }

    @Test("Ordinary edits of the built-in engine are no error")
    func ordinary() async throws {
        #expect(try await site.home("Fresh bread", "Hello").review("Change the headline to \"Hello\"").findings.isEmpty)
        let added = site.adding("jobs.html", GuardSite.page("Jobs", "<p>We look for bakers.</p>"))
            .home("<a href=\"about.html\">About</a>", "<a href=\"about.html\">About</a><a href=\"jobs.html\">Jobs</a>")
        #expect(try await added.review("Add a page called \"Jobs\" saying \"We look for bakers.\"").findings.isEmpty)
        let removed = site.removing("about.html").home("<a href=\"about.html\">About</a>", "")
        #expect(try await removed.review("Remove the page \"About us\"").findings.isEmpty)
    }

    @Test("Looks at changed files and the home page only, however large the site")
    func little() async throws {
        var files = ["index.html": GuardSite.home]
        for number in 0..<1000 { files["p\(number).html"] = GuardSite.page("Page \(number)") }
        let before = try TestSite(files)
        for number in 0..<3 { files["p\(number).html"] = GuardSite.page("Other \(number)") }
        let after = try TestSite(files)
        var asked: [String] = []
        let review = try await ChangeGuard(request: RequestWords("Change three headlines")).review(
            after.manifest, parent: before.manifest
        ) { entry in
            asked.append(entry.path.text)
            return FileSurvey(of: entry.path, bytes: Array((files[entry.path.text] ?? "").utf8))
        }
        #expect(review.scope.changed == 3)
        #expect(Set(asked) == ["index.html", "p0.html", "p1.html", "p2.html"] && asked.count == 7)
    }
}
