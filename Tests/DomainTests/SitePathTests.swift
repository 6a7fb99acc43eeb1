import Domain
import Testing

@Suite struct SitePathTests {
    @Test(
        "Paths that could leave the site or surprise a file system are refused by name",
        arguments: [
            ("", "path-empty"), ("/etc/passwd", "path-absolute"), ("../x", "path-traversal"),
            ("a/../b", "path-traversal"), ("a/..", "path-traversal"), ("./a", "path-dot"), ("a/./b", "path-dot"),
            ("a//b", "path-empty-component"), ("a/", "path-empty-component"), ("a\u{0}b", "path-control-byte"),
            ("a\nb", "path-control-byte"), ("a\u{7f}", "path-control-byte"), ("a\\b", "path-backslash"),
            (String(repeating: "x", count: 256), "path-length"),
            (Array(repeating: "d", count: 33).joined(separator: "/"), "path-depth"),
            ("cafe\u{301}.html", "path-normal-form"), ("\u{212B}.html", "path-normal-form"),
            ("a\u{FFFD}", "path-encoding"), ("a\u{85}b", "path-encoding"),
        ])
    func refused(text: String, rule: String) {
        #expect { try SitePath(text) } throws: { error in (error as? ServiceError)?.rule == rule }
    }

    @Test(
        "Ordinary paths are taken",
        arguments: [
            "index.html", "a/b/c.css", "caf\u{e9}.html", "日本語/ページ.html", "a b.html", "..a", "a..b", ".well-known/x",
            "👩‍👩‍👧.png", "ไทย.html", String(repeating: "x", count: 255),
            Array(repeating: "d", count: 32).joined(separator: "/"),
        ])
    func taken(text: String) throws {
        #expect(try SitePath(text).text == text)
    }

    @Test("Hidden is what begins with a dot, but for .well-known at the top")
    func hidden() throws {
        #expect(try SitePath(".git/config").isHidden)
        #expect(try SitePath("a/.htaccess").isHidden)
        #expect(try SitePath("a/.well-known/x").isHidden)
        #expect(try !SitePath(".well-known/acme-challenge/x").isHidden)
    }

    @Test("The extension is what follows the last dot of the name, in lower case")
    func fileExtension() throws {
        #expect(try SitePath("a.b/c.HTML").fileExtension == "html")
        #expect(try SitePath("a.b/c").fileExtension == "")
        #expect(try SitePath(".htaccess").fileExtension == "")
        #expect(try SitePath("x.tar.gz").fileExtension == "gz")
    }
}
