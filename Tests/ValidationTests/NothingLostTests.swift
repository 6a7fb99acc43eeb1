import Domain
import Testing
import Validation

@Suite("Nothing is lost that nobody asked for")
struct NothingLostTests {
    private let site = GuardSite()

    /// How something vanishes, what is said of it, and a request that asks for it.
    private static let losses: [(old: String, rule: String, request: String)] = [
        ("<h2>Write to us</h2>", "heading-lost", "Remove the heading \"Write to us\""),
        ("<a href=\"https://maps.example/x\">Way</a>", "link-lost", "Delete the link \"Way\" from the menu"),
        ("<form action=\"/send\"><button>Send</button></form>", "form-lost", "Take out the form"),
        ("<img src=\"oven.jpg\" alt=\"Our oven\">", "image-lost", "Remove the photo of the oven"),
        ("<script src=\"menu.js\"></script>", "script-lost", "Get rid of the menu script"),
        ("<iframe src=\"https://video.example/7\" title=\"A film\"></iframe>", "frame-lost", "Entferne das Video"),
        ("<p>\(GuardSite.story)</p>", "text-lost", "Delete the paragraph about the village school"),
    ]

    @Test("What vanished is found", arguments: losses)
    func found(loss: (old: String, rule: String, request: String)) async throws {
        for request in [
            "Change the headline to \"Hello\"", "Make it friendlier", "Do not remove anything. Fix the spelling",
        ] {
            #expect(try await site.home(loss.old, "").errors(request) == ["\(loss.rule) index.html"], "\(request)")
        }
    }

    @Test("What was asked to go may go", arguments: losses)
    func asked(loss: (old: String, rule: String, request: String)) async throws {
        #expect(try await site.home(loss.old, "").errors(loss.request) == [])
    }

    @Test("Asking for one thing does not let another go", arguments: losses)
    func other(loss: (old: String, rule: String, request: String)) async throws {
        let request = loss.rule == "heading-lost" ? "Remove the form" : "Remove the heading \"Write to us\""
        #expect(try await site.home(loss.old, "").errors(request) == ["\(loss.rule) index.html"])
    }

    @Test("A finding says where, what was there, and what to do")
    func finding() async throws {
        let review = try await site.home("<h2>Write to us</h2>", "").review("Fix the spelling")
        let finding = try #require(review.findings.first)
        #expect(finding.rule == "heading-lost" && finding.path == "index.html" && finding.severity == .error)
        #expect(finding.before == "the heading \"Write to us\"" && finding.after.isEmpty)
        #expect(finding.message.contains("Write to us") && finding.advice.contains("accept"))
    }

    @Test("A page of thousands of things loses none when one more is put before them", arguments: [1495, 2100, 10_000])
    func long(count: Int) async throws {
        let things = (0..<count)
            .map { "<h3>Thing \($0)</h3><a href=\"https://things.example/\($0)\">Go \($0)</a>" }.joined()
        let long = GuardSite(["index.html": GuardSite.home.replacing("</body>", with: things + "</body>")])
        let changed = long.home("<h2>News</h2>", "<h2>News</h2><h2>More</h2><p><a href=\"about.html\">Us</a></p>")
        #expect(try await changed.errors("Add a link to the page about us") == [])
    }

    @Test("Thousands of openings before one end of a comment are harmless", .timeLimit(.minutes(2)))
    func openings() async throws {
        let text = String(repeating: "<!--", count: 10_000) + String(repeating: "x", count: 2 << 20) + "-->"
        let changed = site.home("<p>Welcome.</p>", "<p>Welcome.</p>\(text)")
        #expect(try await !changed.errors("Add a greeting").contains { $0.hasPrefix("placeholder") })
    }

    @Test("Things that change stay")
    func changed() async throws {
        let changed =
            site
            .home("<h1>Fresh bread</h1>", "<h1>Good morning</h1>")
            .home("<a href=\"https://maps.example/x\">Way</a>", "<a href=\"https://maps.example/y\">Way</a>")
            .home("src=\"oven.jpg\"", "src=\"oven2.jpg\"").home("menu.js", "menu.js?v=2")
            .home("<button>Send</button>", "<button>Ask</button>").adding("oven2.jpg", "3")
        #expect(try await changed.errors("Change the headline to \"Good morning\"") == [])
    }

    @Test("A text may be written anew, but not cut to a stump; when shortening is asked for it may")
    func texts() async throws {
        let anew = String(repeating: "We have other news that nobody expected and everybody likes. ", count: 5)
        #expect(try await site.home(GuardSite.story, anew).errors("Write other news") == [])
        let stump = site.home(GuardSite.story, "Come and bake.")
        #expect(try await stump.errors("Write other news") == ["text-lost index.html"])
        #expect(try await stump.errors("Shorten the news") == [])
        #expect(try await site.home("<p>Welcome.</p>", "").errors("Write other news") == [])
    }

    @Test("What moved within a page or to another page is not lost")
    func moved() async throws {
        let form = "<form action=\"/send\"><button>Send</button></form>"
        #expect(
            try await site.home(form, "").home("<h1>Fresh bread</h1>", "<h1>Fresh bread</h1>\(form)").errors(
                "Put it on top")
                == [])
        #expect(
            try await site.home(form, "").changing("about.html", "<p>We are three.</p>", "<p>We are three.</p>\(form)")
                .errors("Put the form on the about page") == [])
    }

    @Test("A section that is asked to go takes what is in it along, and nothing else")
    func section() async throws {
        let news = "<h2>News</h2><p>\(GuardSite.story)</p><img src=\"market.jpg\" alt=\"The market\">"
        let without = site.home(news, "")
        #expect(try await without.errors("Remove the section \"News\"") == [])
        #expect(try await without.errors("Delete the news section, but keep the form") == [])
        #expect(
            try await without.errors("Change the headline") == [
                "heading-lost index.html", "image-lost index.html", "text-lost index.html",
            ])
        let alsoForm = without.home("<form action=\"/send\"><button>Send</button></form>", "")
        #expect(try await alsoForm.errors("Remove the section \"News\"") == ["form-lost index.html"])
    }

    @Test("All of a kind may go when all are asked to, and one when one is")
    func numbers() async throws {
        let without = site.home("<img src=\"oven.jpg\" alt=\"Our oven\">", "")
        let withoutAny = without.home("<img src=\"market.jpg\" alt=\"The market\">", "")
        #expect(try await withoutAny.errors("Remove all images") == [])
        #expect(try await withoutAny.errors("Remove the pictures") == [])
        #expect(try await without.errors("Remove the first image") == [])
        #expect(try await withoutAny.errors("Remove the first image") == ["image-lost index.html"])
        // The market was named, the oven went.
        #expect(try await without.errors("Remove the image of the market") == ["image-lost index.html"])
    }

    @Test("A page that is gone is found, unless it was asked to go")
    func pages() async throws {
        let without = site.removing("about.html").home("<a href=\"about.html\">About</a>", "")
        #expect(try await without.errors("Change the headline") == ["page-lost about.html"])
        #expect(try await without.errors("Remove the link to the about page") == ["page-lost about.html"])
        for request in [
            "Remove the about page", "Delete about.html", "Remove the page \"About us\"", "Lösche die Seite About",
            "Start over from scratch with one page",
        ] {
            #expect(try await without.errors(request) == [], "\(request)")
        }
        var two = without
        two.before["jobs.html"] = GuardSite.page("Jobs")
        #expect(try await two.errors("Remove the about page") == ["page-lost jobs.html"])
        #expect(try await two.errors("Remove both pages") == [])
    }

    @Test("Words within quotation marks are names, not orders")
    func quotes() async throws {
        let without = site.home("<h2>Write to us</h2>", "")
        #expect(
            try await without.errors("Change the headline to \"Remove the heading\"") == ["heading-lost index.html"])
    }

    @Test(
        "Placeholders are found where the content was",
        arguments: [
            "<!-- rest of the code unchanged -->", "<!-- existing content -->", "/* … existing styles … */",
            "<!-- ... the rest of the page remains the same ... -->", "[rest of the page]",
            "<p>… existing content …</p>",
        ])
    func placeholders(text: String) async throws {
        let left = site.home("<p>Welcome.</p>", "<p>Welcome.</p>\(text)")
        #expect(try await left.errors("Remove everything you like. Start over") == ["placeholder-left index.html"])
        var known = left
        known.before = known.after
        #expect(try await known.home("Welcome.", "Hello.").errors("Say hello") == [])
    }

    @Test("Ordinary comments and texts are no placeholders")
    func noPlaceholders() async throws {
        let commented = site.home(
            "<p>Welcome.</p>", "<!-- navigation --><p>The price remains the same, the rest of the week too.</p>")
        #expect(try await commented.errors("Add a text") == [])
    }
}
