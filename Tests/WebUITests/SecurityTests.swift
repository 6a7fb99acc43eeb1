import Foundation
import Testing

@testable import WebUI

@Suite(.timeLimit(.minutes(5))) struct SecurityTests {
    @Test("Cookies cannot be read by scripts nor sent by other sites' forms, and over TLS belong to this host alone")
    func cookies() async throws {
        try await WebFixture.with { web in
            let stranger = Browser(web)
            let page = try await stranger.get("/register")
            let answer = try await stranger.submit(
                "/register",
                [
                    "csrf": try #require(page.token), "email": "a@example.org", "password": WebFixture.password,
                    "name": "Ada",
                ])
            let lines = answer.headers["set-cookie"]
            #expect(Set(lines.map { $0.prefix { $0 != "=" } }) == ["pw_access", "pw_refresh", "pw_csrf"])
            for line in lines {
                for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age="] { #expect(line.contains(part)) }
                #expect(!line.contains("Domain"))
            }
            let secure = try await Browser(web).get("/login", headers: [("X-Forwarded-Proto", "https")])
            let line = try #require(secure.headers["set-cookie"].first)
            #expect(line.hasPrefix("__Host-pw_csrf=") && line.hasSuffix("; Secure"))
        }
    }

    @Test("A form without the page's secret, or from elsewhere, is refused and has no effect")
    func forgery() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let token = try #require(try await browser.get("/sites/bakery/settings").token)
            let path = "/sites/bakery/settings/delete"
            let fields = ["confirmation": "bakery"]
            #expect(try await browser.submit(path, fields).status == 403)
            let wrong = String(repeating: "0", count: 64)
            #expect(try await browser.submit(path, fields.merging(["csrf": wrong]) { $1 }).status == 403)
            let whole = fields.merging(["csrf": token]) { $1 }
            for header in [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Origin", "null")] {
                #expect(try await browser.submit(path, whole, headers: [header]).status == 403)
            }
            let upload = try await browser.upload(
                "/sites/bakery/settings/upload", [], file: try web.archive(["index.html": WebFixture.html("x")]))
            #expect(upload.status == 403)
            #expect(try await browser.get("/sites/bakery/settings").status == 200)
            let other = Browser(web)
            let theirs = try #require(try await other.get("/login").token)
            #expect(try await browser.submit(path, fields.merging(["csrf": theirs]) { $1 }).status == 403)
            let right = try await browser.submit(path, whole, headers: [("Origin", web.base)])
            #expect(right.location == "/sites?done=deleted")
        }
    }

    @Test("Somebody else's site, versions and jobs are not there")
    func ownership() async throws {
        try await WebFixture.with { web in
            _ = try await web.browser(as: "admin@example.org")
            let ada = try await web.browser(as: "ada@example.org", site: "bakery")
            let asked = try await ada.post(
                "/sites/bakery/edits", from: "/sites/bakery/studio", ["prompt": "Secret plan"])
            let job = try #require(asked.text.firstMatch(of: /\/jobs\/(job_[0-9a-z]+)/)).1
            let bob = try await web.browser(as: "bob@example.org")
            let paths =
                [
                    "studio", "studio/feed", "versions", "versions/1", "versions/1/archive",
                    "versions/1/files/index.html",
                    "compare/1/1", "settings", "promote/1", "promote/1/state/studio",
                ].map { "/sites/bakery/" + $0 } + ["/jobs/\(job)", "/jobs/\(job)/state"]
            for path in paths {
                let answer = try await bob.get(path)
                #expect(answer.status == 404, "\(path)")
                #expect(!answer.text.contains("Secret plan"))
            }
            let token = try #require(try await bob.get("/sites/new").token)
            for path in [
                "edits", "promote", "rollback", "preview", "settings/name", "settings/domains", "settings/maintenance",
                "settings/delete",
            ] {
                let answer = try await bob.submit(
                    "/sites/bakery/" + path,
                    [
                        "csrf": token, "version": "1", "prompt": "x", "name": "x", "domain": "x.example.org",
                        "confirmation": "bakery",
                    ])
                #expect(answer.status == 404, "\(path)")
            }
            #expect(try await bob.submit("/jobs/\(job)/cancel", ["csrf": token]).status == 404)
            #expect(try await !bob.get("/sites").text.contains("bakery"))
            #expect(try await ada.get("/sites/bakery/settings").status == 200)
        }
    }

    @Test("Hostile names, prompts, file names and file contents are shown as text")
    func escaping() async throws {
        try await WebFixture.with { web in
            let evil = "<img src=x onerror=alert(1)>\"' </textarea><script>x</script>"
            let accented = "a\"\u{301} onfocus=alert(1) x=\""
            let browser = try await web.browser(as: "a@example.org", name: evil)
            try await browser.makeSite("bakery", name: evil)
            _ = try await browser.upload(
                "/sites/bakery/settings/upload",
                [("csrf", try #require(try await browser.get("/sites/bakery/settings").token))],
                file: try web.archive(["index.html": WebFixture.html(evil), "a\"><b>.txt": evil]))
            try await browser.post("/sites/bakery/edits", from: "/sites/bakery/studio", ["prompt": evil + accented])
            try await browser.post(
                "/sites/bakery/settings/maintenance", from: "/sites/bakery/settings", ["message": evil + accented])
            try await browser.post("/sites/bakery/settings/name", from: "/sites/bakery/settings", ["name": accented])
            for path in [
                "/sites", "/sites/bakery/studio", "/sites/bakery/versions", "/sites/bakery/versions/2",
                "/sites/bakery/compare/1/2", "/sites/bakery/settings", "/jobs", "/profile", "/sites/bakery/promote/2",
                "/sites?q=" + (evil + accented).addingPercentEncoding(withAllowedCharacters: .alphanumerics)!,
                "/sites/" + evil.addingPercentEncoding(withAllowedCharacters: .alphanumerics)! + "/studio",
            ] {
                let answer = try await browser.get(path)
                #expect(answer.status == 200 || answer.status == 404, "\(path)")
                #expect(!answer.text.contains("<img src=x"), "\(path)")
                #expect(!answer.text.contains("<script>"), "\(path)")
                #expect(!answer.text.unicodeScalars.elementsEqual("".unicodeScalars))
                #expect(!Array(answer.text.utf8).contains(sequence: Array("\"\u{301} onfocus".utf8)), "\(path)")
            }
            let file = try await browser.get("/sites/bakery/versions/2/files/index.html")
            #expect(file.headers.first(name: "content-security-policy")?.hasPrefix("sandbox") == true)
            #expect(file.headers.first(name: "content-disposition")?.hasPrefix("attachment") == true)
        }
    }

    @Test(
        "A log-in never leads away from here",
        arguments: [
            "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x",
            "evil", "",
        ])
    func redirects(next: String) { #expect(AccountPages.destination(next) == "/sites") }

    @Test("Where somebody wanted to go is kept")
    func destination() { #expect(AccountPages.destination("/sites/a/studio?again=x") == "/sites/a/studio?again=x") }

    @Test("A session is renewed without a word, also by many requests at once, and a form is not lost")
    func renewal() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let token = try #require(try await browser.get("/sites/bakery/studio").token)
            let cookies = await browser.cookies
            web.clock.advance(by: .seconds(16 * 60))
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await Browser(web, cookies: cookies).get("/sites").status }
                }
                for try await status in group { #expect(status == 200) }
            }
            let sent = try await browser.submit("/sites/bakery/edits", ["csrf": token, "prompt": "Make it blue"])
            #expect(sent.status == 303)
            #expect(await browser.cookies["pw_access"] != cookies["pw_access"])
            #expect(try await browser.get("/sites/bakery/studio").text.contains("Make it blue"))
        }
    }

    @Test("Logging out ends the session; what was kept of it is worth nothing")
    func logOut() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org")
            let old = await browser.cookies
            let out = try await browser.post("/logout", from: "/sites")
            #expect(out.text.contains("<h1>Log in</h1>"))
            #expect(try await browser.get("/sites").status == 303)
            let thief = Browser(web, cookies: old)
            web.clock.advance(by: .seconds(16 * 60))
            #expect(try await thief.get("/sites").status == 303)
        }
    }

    @Test("Guessing passwords is slowed down, in words")
    func guessing() async throws {
        try await WebFixture.with { web in
            _ = try await web.browser(as: "a@example.org")
            let stranger = Browser(web)
            var last: Browser.Answer?
            for _ in 0..<11 {
                last = try await stranger.post(
                    "/login", from: "/login", ["email": "a@example.org", "password": "wrong"])
            }
            #expect(last?.status == 429)
            #expect(last?.text.contains("role=\"alert\"") == true)
        }
    }
}

extension Array where Element: Equatable {
    func contains(sequence: [Element]) -> Bool {
        guard count >= sequence.count else { return false }
        return (0...count - sequence.count).contains { self[$0..<$0 + sequence.count].elementsEqual(sequence) }
    }
}
