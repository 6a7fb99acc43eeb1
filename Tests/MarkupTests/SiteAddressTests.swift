import Markup
import Testing

@Suite("An address in a page")
struct SiteAddressTests {
    @Test(
        "Leads where a browser would go",
        arguments: [
            ("b.html", "a/b.html", nil), ("./b.html", "a/b.html", nil), ("../b.html", "b.html", nil),
            ("../../../b.html", "b.html", nil), ("/b.html", "b.html", nil),
            ("b/", "a/b/", nil), ("..", "", nil), (".", "a/", nil), ("/", "", nil), ("", "a/page.html", nil),
            ("#x", "a/page.html", "x"), ("?q", "a/page.html", nil),
            ("b.html?x=/y#z", "a/b.html", "z"), ("b%20c.html", "a/b c.html", nil), ("%C3%A9.html", "a/é.html", nil),
            ("b%2", "a/b%2", nil),
            ("b.html#caf%C3%A9", "a/b.html", "café"), (" b.html\n", "a/b.html", nil), ("\\b.html", "b.html", nil),
            ("b//c", "a/b/c", nil),
            ("1:2.html", "a/1:2.html", nil), ("b.html#", "a/b.html", ""),
        ] as [(String, String, String?)])
    func inside(reference: String, path: String, fragment: String?) {
        #expect(SiteAddress(reference, in: "a/page.html") == .inside(path: path, fragment: fragment))
    }

    @Test(
        "Is elsewhere when it names a scheme or a host",
        arguments: [
            "https://x.example/", "HTTP://x", "//x.example/y", "mailto:a@b.example", "tel:+44", "javascript:void(0)",
            "data:,x", "java\nscript:x", "\\\\x\\y", "custom+a.b-c:x",
        ])
    func elsewhere(reference: String) {
        #expect(SiteAddress(reference, in: "a/page.html") == .elsewhere)
    }

    @Test("Is relative to the base of the page")
    func base() {
        #expect(SiteAddress("x.html", in: "a/page.html", base: "/b/c/") == .inside(path: "b/c/x.html", fragment: nil))
        #expect(SiteAddress("x.html", in: "a/page.html", base: "d.html") == .inside(path: "a/x.html", fragment: nil))
        #expect(SiteAddress("x.html", in: "a/page.html", base: "https://x.example/") == .elsewhere)
        #expect(SiteAddress("/x.html", in: "a/page.html", base: "/b/") == .inside(path: "x.html", fragment: nil))
    }

    @Test("Is read the same way by the quick look and by the long one")
    func quickLook() {
        var generator = SystemRandomNumberGenerator()
        let parts = ["a", "b.html", "..", ".", "/", "//", "#", "?", ":", "x+y", "é", "%20", "\\", " ", "...", "..b"]
        for page in ["page.html", "a/page.html", "a/b/c/page.html"] {
            for _ in 0..<5_000 {
                let count = Int.random(in: 0...6, using: &generator)
                let reference = (0..<count).map { _ in parts.randomElement(using: &generator)! }.joined()
                // With a base the long way is taken; this base changes nothing.
                #expect(
                    SiteAddress(reference, in: page) == SiteAddress(reference, in: page, base: "page.html"),
                    "\(reference) on \(page)")
            }
        }
    }
}
