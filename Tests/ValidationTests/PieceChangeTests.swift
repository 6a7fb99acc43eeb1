import Domain
import Testing
import Validation

@Suite("Pages that changed by one small piece")
struct PieceChangeTests {
    private static let menu = "<a href=\"about.html\">About</a>"
    private static let entry = menu + "<a href=\"menu.html\">Menu</a>"

    /// A site of so many pages with one menu.
    private static func site(_ count: Int) -> GuardSite {
        let pages = (0..<count).map { ("p\($0).html", GuardSite.page("Page \($0)", "<p>\(GuardSite.story)</p>")) }
        return GuardSite(Dictionary(uniqueKeysWithValues: pages))
    }

    private static func back(from site: GuardSite) -> GuardSite {
        var back = site
        (back.before, back.after) = (site.after, site.before)
        return back
    }

    /// The menu has a new entry on every page.
    private static func grown(_ count: Int) -> GuardSite {
        var site = site(count).adding("menu.html", GuardSite.page("Menu"))
        for path in site.before.keys where path.hasSuffix(".html") { site = site.changing(path, menu, entry) }
        return site
    }

    @Test("A new entry in the menu of 300 pages is judged without reading the pages")
    func manyPages() async throws {
        var surveyed: [String] = []
        let review = try await Self.grown(300).review("Add a page called \"Menu\"") { surveyed.append($0) }
        #expect(review.findings.isEmpty)
        #expect(review.scope == ChangeScope(changed: 303, total: 306, outside: 0))
        #expect(Set(surveyed) == ["index.html", "menu.html"] && surveyed.count <= 3)
    }

    @Test("A page that goes takes its entry in the menu of 300 pages along, and no page is read for that")
    func removal() async throws {
        var surveyed: [String] = []
        let review = try await Self.back(from: Self.grown(300)).review("Delete menu.html") { surveyed.append($0) }
        #expect(review.findings.isEmpty)
        #expect(review.scope.outside == 0)
        #expect(Set(surveyed) == ["index.html", "menu.html"])
    }

    @Test(
        "With or without looking at pieces the findings are the same",
        arguments: ["Add a page called \"Menu\"", "Remove the form", "Change p1.html", "Delete menu.html"])
    func same(prompt: String) async throws {
        let grown = Self.grown(5)
        let sites = [
            grown, Self.back(from: grown),
            grown.changing("p1.html", "<p>\(GuardSite.story)</p>", ""),
            grown.home("<form action=\"/send\"><button>Send</button></form>", ""),
            grown.home("alt=\"Our oven\"", ""),
            Self.site(3).changing("p0.html", Self.menu, ""),
            Self.site(3).changing("p0.html", "</h1>", "</h1><ul><li>One</li></ul>"),
        ]
        for (number, site) in sites.enumerated() {
            let quick = try await site.review(prompt)
            let thorough = try await site.review(prompt, looksAtPieces: false)
            #expect(quick == thorough, "site \(number)")
        }
    }

    @Test(
        "What becomes a secret when a piece goes from between is found",
        arguments: ["<b></b>", "<a href=\"menu.html\"></a>", "<i> </i>"])
    func joined(piece: String) async throws {
        var site = Self.site(2).changing("p1.html", "</h1>", "</h1><p>AKIA\(piece)IOSFODNN7EXAMPLE</p>")
            .adding("menu.html", GuardSite.page("Menu"))
        site.before = site.after
        let gone = site.changing("p1.html", piece, "").removing("menu.html")
        let quick = try await gone.review("Delete menu.html")
        #expect(quick == (try await gone.review("Delete menu.html", looksAtPieces: false)))
        #expect(quick.findings.contains { $0.rule == "secret-in-file" && $0.path == "p1.html" })
    }

    @Test(
        "A piece that could harm is found like any other",
        arguments: [
            ("<a href=\"javascript:eval(x)\">Go</a>", "script-dangerous"),
            ("<li>AKIAIOSFODNN7EXAMPLE</li>", "secret-in-file"),
            ("<li>[rest of the code unchanged]</li>", "placeholder-left"),
            ("<iframe src=\"https://ads.example/\" hidden></iframe>", "frame-hidden"),
            ("<form action=\"https://evil.example/\"></form>", "form-foreign"),
            ("<img src=\"x.png\">", "image-alt-worse"),
        ])
    func harm(piece: String, rule: String) async throws {
        let site = Self.site(2).changing("p1.html", "</h1>", "</h1>\(piece)")
        let quick = try await site.review("Add a line")
        #expect(quick == (try await site.review("Add a line", looksAtPieces: false)))
        #expect(quick.findings.contains { $0.rule == rule && $0.path == "p1.html" })
    }
}
