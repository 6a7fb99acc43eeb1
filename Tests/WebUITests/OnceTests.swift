import Domain
import Foundation
import Persistence
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct OnceTests {
    @Test("A form that is sent twice, at once or from the page before, has one effect")
    func twice() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let page = try await browser.get("/sites/bakery/studio")
            let fields = [
                "csrf": try #require(page.token), "once": try #require(page.once), "prompt": "Make it blue",
            ]
            let places = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await browser.submit("/sites/bakery/edits", fields).location }
                }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(places.count == 1 && places.first??.hasPrefix("/sites/bakery/studio#job_") == true)
            let jobs = try await browser.get("/jobs").text.matches(of: /<li class="card job"/).count
            #expect(jobs == 1)
            // The same page, another message: another request.
            let other = try await browser.submit(
                "/sites/bakery/edits", fields.merging(["prompt": "Make it green"]) { $1 })
            #expect(other.status == 303)
            #expect(try await browser.get("/jobs").text.matches(of: /<li class="card job"/).count == 2)
        }
    }

    @Test("Rolling back twice by a double click rolls back once")
    func rollBack() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            _ = try await browser.uploadVersion("bakery", headline: "Two")
            try await browser.post("/sites/bakery/promote", from: "/sites/bakery/promote/2", ["version": "2"])
            let page = try await browser.get("/sites/bakery/versions")
            let fields = [
                "csrf": try #require(page.token), "once": try #require(page.once), "back": "versions",
            ]
            for _ in 0..<2 {
                let answer = try await browser.submit("/sites/bakery/rollback", fields)
                #expect(answer.location == "/sites/bakery/versions?done=rolled-back&version=1")
            }
            #expect(try await browser.get("/sites/bakery/studio").text.contains("version 1"))
            let site = try await web.coordinator.sites.find(
                "bakery", for: Principal(user: UserID(unchecked: "user_0000000000000000000000"), role: .admin))
            #expect(site.site.live?.rawValue == 1)
        }
    }

    @Test("A message that was sent after the session ended is kept over the log-in and then sent")
    func interrupted() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let page = try await browser.get("/sites/bakery/studio")
            let fields = [
                "csrf": try #require(page.token), "once": try #require(page.once), "prompt": "Say <b>\"hello\"</b>",
            ]
            await browser.forget("pw_access")
            await browser.forget("pw_refresh")
            let login = try await browser.submit("/sites/bakery/edits", fields)
            #expect(login.status == 401)
            #expect(login.text.contains("Nothing is lost"))
            let kept = try #require(login.text.firstMatch(of: /name="resume_form" value="([^"]*)"/)).1
            let resumed = try await browser.submit(
                "/login",
                [
                    "csrf": try #require(login.token), "email": "a@example.org", "password": WebFixture.password,
                    "resume_path": "/sites/bakery/edits", "resume_form": String(kept),
                ])
            #expect(resumed.status == 200)
            #expect(resumed.text.contains("Log out") && !resumed.text.contains("Make an account"))
            #expect(resumed.text.contains("Say &lt;b&gt;&quot;hello&quot;&lt;/b&gt;"))
            let sent = try await browser.submit(
                "/sites/bakery/edits",
                [
                    "csrf": try #require(resumed.token), "once": try #require(resumed.once),
                    "prompt": "Say <b>\"hello\"</b>",
                ])
            #expect(sent.status == 303)
            #expect(try await browser.get("/sites/bakery/studio").text.contains("hello"))
        }
    }

    @Test("What is done by a form has the request's id in the audit log, from the registration on")
    func requestIDs() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            try await browser.post(
                "/sites/bakery/settings/name", from: "/sites/bakery/settings", ["name": "New name"])
            try await browser.post("/logout", from: "/sites")
            let admin = Principal(user: UserID(unchecked: "user_0000000000000000000000"), role: .admin)
            let rows = try await web.coordinator.audit.list(
                AuditStore.Filter(), oldestFirst: true, page: try PageRequest(limit: 200), for: admin
            ).items.map(\.entry).filter { $0.actor.hasPrefix("user_") }
            #expect(
                Set(rows.map(\.action)).isSuperset(
                    of: ["account.registered", "site.created", "site.renamed", "session.ended"]))
            for row in rows { #expect(row.requestID.hasPrefix("req_"), "\(row.action)") }
        }
    }
}
