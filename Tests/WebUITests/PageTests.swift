import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct PageTests {
    /// What every page promises, whoever shows it.
    private static func check(_ answer: Browser.Answer, _ path: String) {
        let text = answer.text
        #expect(text.hasPrefix("<!doctype html>\n<html lang=\"en\">") || text.hasPrefix("\n<!doctype html>"), "\(path)")
        #expect(text.matches(of: /<title>[^<]+<\/title>/).count == 1, "\(path)")
        #expect(text.matches(of: /<h1[ >]/).count == 1, "\(path)")
        #expect(text.contains("<main id=\"main\""), "\(path)")
        #expect(text.matches(of: /<script(?![^>]* src=)/).isEmpty, "\(path)")
        #expect(!text.contains("<style") && text.matches(of: /\sstyle=/).isEmpty, "\(path)")
        #expect(text.matches(of: /<[^>]*\son[a-z]+=/).isEmpty, "\(path)")
        #expect(!text.contains("{{") && !text.contains("Optional("), "\(path)")
        let policy = answer.headers.first(name: "content-security-policy") ?? ""
        #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "\(path)")
        #expect(!policy.contains("unsafe"), "\(path)")
        #expect(answer.headers.first(name: "cache-control") == "no-store", "\(path)")
        #expect(answer.headers.first(name: "x-frame-options") == "DENY", "\(path)")
        let identifiers = text.matches(of: /\sid="([^"]*)"/).map { String($0.1) }
        #expect(Set(identifiers).count == identifiers.count, "\(path) has an id twice")
    }

    @Test("Every page that can be reached by links is whole, and every link and asset leads somewhere")
    func crawl() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            _ = try await browser.uploadVersion("bakery", headline: "Fresh bread")
            try await browser.post("/sites/bakery/edits", from: "/sites/bakery/studio", ["prompt": "Make it blue"])
            try await browser.post(
                "/sites/bakery/settings/domains", from: "/sites/bakery/settings", ["domain": "www.example.org"])
            var open = [
                "/", "/sites", "/profile", "/jobs", "/fleet", "/sites/bakery/settings", "/admin", "/admin/audit",
                "/admin/users",
                "/sites/bakery/compare?from=1&to=2",
            ]
            var seen = Set(open)
            var pages = 0
            while let path = open.popLast() {
                let answer = try await browser.get(path)
                if answer.status == 303 {
                    let location = try #require(answer.location)
                    if seen.insert(location).inserted { open.append(location) }
                    continue
                }
                #expect(answer.status == 200, "\(path)")
                guard answer.headers.first(name: "content-type")?.hasPrefix("text/html") == true else { continue }
                let isOurs = !path.hasPrefix("/templates/") && !path.contains("/files/")
                guard isOurs else { continue }
                pages += 1
                Self.check(answer, path)
                let isPart = !answer.text.contains("<main")
                #expect(isPart || answer.text.contains("The same in a terminal:"), "\(path) names no command")
                for link in answer.text.matches(of: /\s(?:href|src)="(\/[^"#]*)/).map({ String($0.1) }) {
                    let address = link.replacing("&amp;", with: "&")
                    if seen.insert(address).inserted { open.append(address) }
                }
                #expect(seen.count < 200)
            }
            #expect(pages >= 16)
            #expect(seen.contains { $0.hasPrefix("/assets/") && $0.hasSuffix("/app.js") })
        }
    }

    @Test("A stranger gets the pages for strangers, and is led to the log-in and back from all others")
    func strangers() async throws {
        try await WebFixture.with { web in
            let stranger = Browser(web)
            for path in ["/login", "/register"] {
                let answer = try await stranger.get(path)
                #expect(answer.status == 200)
                Self.check(answer, path)
            }
            let answer = try await stranger.get("/sites/bakery/studio?cursor=x")
            #expect(answer.status == 303)
            #expect(answer.location == "/login?next=%2Fsites%2Fbakery%2Fstudio%3Fcursor%3Dx")
            try await web.browser(as: "a@example.org").forget("pw_access")
            let login = try await stranger.get("/login?next=%2Fjobs")
            let token = try #require(login.token)
            let next = try #require(login.text.firstMatch(of: /name="next" value="([^"]+)"/)).1
            let inside = try await stranger.submit(
                "/login",
                ["csrf": token, "email": "a@example.org", "password": WebFixture.password, "next": String(next)])
            #expect(inside.location == "/jobs")
        }
    }

    @Test("What is not there, and what is not allowed, is a page that says what to do next")
    func problems() async throws {
        try await WebFixture.with { web in
            _ = try await web.browser(as: "admin@example.org")
            let browser = try await web.browser(as: "a@example.org")
            for path in ["/nothing", "/sites/none/studio", "/jobs/none", "/sites/none/versions/x"] {
                let answer = try await browser.get(path)
                #expect(answer.status == 404, "\(path)")
                Self.check(answer, path)
                #expect(answer.text.contains("Go to your sites"))
            }
            let fleet = try await browser.get("/fleet")
            #expect(fleet.status == 403)
            #expect(fleet.text.contains("role admin"))
            #expect(try await browser.send("POST", "/sites").status == 405)
            // The API speaks in its own way.
            let api = try await browser.get("/api/v1/nothing")
            #expect(api.headers.first(name: "content-type") == "application/problem+json")
            #expect(try await browser.get("/healthz").text.contains("ok"))
        }
    }

    @Test("Style sheet and script are packed, kept for ever, and weigh little")
    func assets() async throws {
        try await WebFixture.with { web in
            let stranger = Browser(web)
            let page = try await stranger.get("/login")
            let links = page.text.matches(of: /"(\/assets\/[^"#]+)"/).map { String($0.1) }
            #expect(links.count >= 3)
            var weight = page.text.utf8.count
            for link in Set(links) {
                let packed = try await stranger.get(link, headers: [("Accept-Encoding", "gzip")])
                #expect(packed.status == 200)
                #expect(packed.headers.first(name: "content-encoding") == "gzip")
                #expect(packed.headers.first(name: "cache-control") == "public, max-age=31536000, immutable")
                weight += Int(packed.headers.first(name: "content-length") ?? "") ?? 1_000_000
                let plain = try await stranger.get(link)
                #expect(plain.headers.first(name: "content-encoding") == nil)
            }
            #expect(weight < 60_000)
            #expect(try await stranger.get("/assets/000000000000/app.css").status == 404)
        }
    }
}
