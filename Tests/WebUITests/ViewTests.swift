import Domain
import Foundation
import Testing

@testable import WebUI

@Suite(.timeLimit(.minutes(5))) struct ViewTests {
    private static let page = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Test</title><meta name="description" content="A page."><link rel="stylesheet" href="/site.css"></head>
        <body><h1>Fresh &amp; warm</h1><p>Bread</p><p>Bread</p><a href="/about">About</a>
        <script>document.title = 'run'</script></body></html>

        """

    private static func site(_ browser: Browser, _ web: WebFixture) async throws {
        let token = try #require(try await browser.get("/sites/new").token)
        let made = try await browser.upload(
            "/sites/upload", [("csrf", token), ("name", "Bakery"), ("slug", "bakery")],
            file: try web.archive([
                "index.html": page, "about.html": page, "site.css": "h1 { background: url(/a.svg) } ",
                "a.svg": "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>",
            ]))
        try #require(made.status == 303, "\(made.text)")
    }

    @Test("A page to point at comes in a sandbox without its scripts, with its own files, and opens nothing else")
    func sandbox() async throws {
        try await WebFixture.with { web in
            let admin = try await web.browser(as: "admin@example.org")
            let browser = try await web.browser(as: "a@example.org")
            try await Self.site(browser, web)
            let number = try await browser.get("/sites/bakery/studio").text.firstMatch(of: /data-number="(\d+)"/)
            let version = String(try #require(number).1)
            let place = try await browser.get("/sites/bakery/view/\(version)/index.html")
            let address = try #require(place.location)
            #expect(address.hasPrefix("/view/") && address.hasSuffix("/index.html"))
            // A frame in a sandbox has no cookies.
            let frame = Browser(web)
            let shown = try await frame.get(address)
            #expect(shown.status == 200)
            let policy = try #require(shown.headers.first(name: "content-security-policy"))
            #expect(policy.hasPrefix("sandbox allow-scripts; default-src 'none'; script-src 'nonce-"))
            #expect(!policy.contains("allow-same-origin") && !policy.contains("script-src 'self'"))
            #expect(shown.headers.first(name: "x-frame-options") == "SAMEORIGIN")
            let nonce = try #require(policy.firstMatch(of: /'nonce-([0-9a-f]{64})'/)).1
            #expect(shown.text.matches(of: /nonce="([0-9a-f]+)"/).map { $0.1 } == [nonce])
            let folder = address.replacing("index.html", with: "")
            #expect(shown.text.contains("href=\"\(folder)site.css\""))
            #expect(try await frame.get(folder + "site.css").text.contains("url(\(folder)a.svg)"))
            #expect(try await frame.get(folder + "about").status == 200)
            #expect(try await frame.get(folder + "nothing.html").status == 404)
            #expect(try await frame.get("/view/nonsense/index.html").status == 404)
            let bob = try await web.browser(as: "bob@example.org")
            #expect(try await bob.get("/sites/bakery/view/\(version)/index.html").status == 404)
            // It ends with the account, and after an hour.
            let list = try await admin.get("/admin/users?q=a@example.org")
            let user = String(try #require(list.text.firstMatch(of: /action="(\/admin\/users\/user_[0-9a-z]+)"/)).1)
            try await admin.post(user, from: "/admin/users", ["disabled": "yes"])
            #expect(try await frame.get(address).status == 404)
            try await admin.post(user, from: "/admin/users", ["disabled": "no"])
            #expect(try await frame.get(address).status == 200)
            web.clock.advance(by: .seconds(3601))
            #expect(try await frame.get(address).status == 404)
        }
    }

    @Test("A text that was pointed at is written anew, as a version like any other")
    func write() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org")
            try await Self.site(browser, web)
            let studio = try await browser.get("/sites/bakery/studio")
            let version = String(try #require(studio.text.firstMatch(of: /data-number="(\d+)"/)).1)
            var fields = [
                "csrf": try #require(studio.token), "once": try #require(studio.once), "version": version,
                "path": "index.html", "old": "Bread", "index": "1", "new": "Rolls <& more>",
            ]
            let written = try await browser.submit("/sites/bakery/texts", fields)
            let place = try #require(written.location, "\(written.text)")
            #expect(place.hasPrefix("/sites/bakery/studio?done=written&version="))
            let next = String(place.split(separator: "=").last ?? "")
            let file = try await browser.get("/sites/bakery/versions/\(next)/files/index.html")
            #expect(
                file.text
                    == Self.page.replacing(
                        "<p>Bread</p><p>Bread</p>", with: "<p>Bread</p><p>Rolls &lt;&amp; more&gt;</p>"))
            #expect(try await browser.get(place).text.contains("Your text is in version \(next)"))
            // The same form again is the same effect.
            #expect(try await browser.submit("/sites/bakery/texts", fields).location == place)
            // Another text from the page of before: somebody else was quicker.
            fields["new"] = "Late"
            let late = try await browser.submit("/sites/bakery/texts", fields)
            #expect(late.status == 409)
            fields["version"] = next
            fields["old"] = "Not there"
            #expect(try await browser.submit("/sites/bakery/texts", fields).status == 409)
        }
    }

    @Test("Addresses from the root of a site stay within the view, those of others stay as they are")
    func addresses() {
        let moved = RootAddresses.moved(
            Array("<a href=\"/x\"><img src='/y'><a href=\"//other/\"><a href=\"z/\"> url(/a) url(\"/b\")".utf8),
            below: "/view/t/")
        #expect(
            String(decoding: moved, as: UTF8.self)
                == "<a href=\"/view/t/x\"><img src='/view/t/y'><a href=\"//other/\"><a href=\"z/\"> url(/view/t/a) url(\"/view/t/b\")"
        )
    }
}
