import Domain
import Testing

@testable import WebUI

@Suite(.timeLimit(.minutes(5))) struct AdminTests {
    @Test("An admin finds people, changes their role and locks them out; others see none of it")
    func users() async throws {
        try await WebFixture.with { web in
            let admin = try await web.browser(as: "admin@example.org", name: "Admin")
            let bob = try await web.browser(as: "bob@example.org", name: "Bob", site: "bakery")
            for path in ["/admin/users", "/admin/health", "/admin/audit", "/admin/audit.csv"] {
                #expect(try await bob.get(path).status == 403, "\(path)")
            }
            let list = try await admin.get("/admin/users?q=BOB")
            #expect(list.text.contains("bob@example.org") && !list.text.contains("admin@example.org"))
            let path = String(try #require(list.text.firstMatch(of: /action="(\/admin\/users\/user_[0-9a-z]+)"/)).1)
            let out = try await admin.post(path, from: "/admin/users", ["disabled": "yes"])
            #expect(out.text.contains("Locked out"))
            #expect(try await bob.get("/sites").status == 303)
            let refused = try await bob.post(
                "/login", from: "/login", ["email": "bob@example.org", "password": WebFixture.password])
            #expect(refused.status == 403)
            #expect(refused.text.contains("This account is disabled."))
            try await admin.post(path, from: "/admin/users", ["disabled": "no"])
            try await admin.post(path, from: "/admin/users", ["role": "admin"])
            try await bob.post(
                "/login", from: "/login", ["email": "bob@example.org", "password": WebFixture.password])
            #expect(try await bob.get("/admin/users").status == 200)
        }
    }

    @Test("An admin cannot lock themselves out")
    func self_() async throws {
        try await WebFixture.with { web in
            let admin = try await web.browser(as: "admin@example.org")
            let token = try #require(try await admin.get("/admin/users").token)
            let id = try #require(
                try await admin.get("/profile").text.firstMatch(of: /<code>(user_[0-9a-z]+)<\/code>/)
            ).1
            let answer = try await admin.submit("/admin/users/\(id)", ["csrf": token, "disabled": "yes"])
            #expect(answer.status == 409)
            #expect(answer.text.contains("Ask another admin."))
            #expect(try await admin.get("/sites").status == 200)
        }
    }

    @Test("The health page says what works, what waits and what is allowed")
    func health() async throws {
        try await WebFixture.with { web in
            let admin = try await web.browser(as: "admin@example.org", site: "bakery")
            try await admin.post("/sites/bakery/edits", from: "/sites/bakery/studio", ["prompt": "Make it blue"])
            let page = try await admin.get("/admin/health")
            #expect(page.text.contains("Everything works.") && page.text.contains("Database"))
            #expect(page.text.contains("<dt>waiting</dt><dd>1</dd>"))
            #expect(page.text.contains("None is on."))
            let part = try await admin.get("/admin/health/state")
            #expect(!part.text.contains("<html"))
        }
    }

    @Test("The audit log is filtered, exported, and says that its chain is whole")
    func audit() async throws {
        try await WebFixture.with { web in
            let admin = try await web.browser(as: "admin@example.org", site: "bakery")
            let all = try await admin.get("/admin/audit")
            #expect(all.text.contains("is whole") && all.text.contains("account.registered"))
            let some = try await admin.get("/admin/audit?action=site.created")
            #expect(some.text.contains("bakery") && !some.text.contains("<td>account.registered</td>"))
            let none = try await admin.get("/admin/audit?actor=nobody")
            #expect(none.text.contains("Nothing of this kind was done"))
            let file = try await admin.get("/admin/audit.csv?action=site.created")
            #expect(file.headers.first(name: "content-type") == "text/csv; charset=utf-8")
            let lines = file.text.split(separator: "\r\n")
            #expect(lines.count == 2 && lines[0].hasPrefix("number,at,actor") && lines[1].contains("site.created"))
        }
    }

    @Test(
        "A spreadsheet shows cells and does not run them",
        arguments: [
            ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"), ("a\r\nb", "\"a\r\nb\""), ("", ""),
        ])
    func cells(text: String, cell: String) { #expect(CSVText.cell(text) == cell) }
}
