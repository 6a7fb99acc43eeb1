import Domain
import Testing

@testable import Coordinator

/// The states of pages that need no worker; the others are in `scripts/browser-states`.
@Suite(.timeLimit(.minutes(5))) struct StateTests {
    @Test("Limits of AI work are shown as bars, and nothing is shown where there are none")
    func budgets() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            #expect(try await !browser.get("/sites/bakery/settings").text.contains("AI work"))
            let me = try #require(
                try await browser.get("/profile").text.firstMatch(of: /<code>(user_[0-9a-z]+)<\/code>/)
            ).1
            _ = try await web.coordinator.budgets.set(
                "site", tokens: 5000, money: nil, minutes: nil,
                for: Principal(user: try #require(UserID(String(me))), role: .admin))
            let settings = try await browser.get("/sites/bakery/settings").text
            #expect(settings.contains("AI work") && settings.contains("0 of 5000 tokens (this site, last 30 days)"))
        }
    }

    @Test("An admin sets limits of AI work on a page; what is no number is explained, and others cannot")
    func limits() async throws {
        try await WebFixture.with { web in
            let admin = try await web.browser(as: "admin@example.org", site: "bakery")
            let saved = try await admin.post("/admin/budgets/site", from: "/admin/engines", ["tokens": "7000"])
            #expect(saved.text.contains("value=\"7000\""))
            #expect(try await admin.get("/sites/bakery/settings").text.contains("0 of 7000 tokens"))
            let wrong = try await admin.post("/admin/budgets/site", from: "/admin/engines", ["tokens": "many"])
            #expect(wrong.status == 400 && wrong.text.contains("must be a whole number"))
            let bob = try await web.browser(as: "bob@example.org")
            let token = try #require(try await bob.get("/sites").token)
            #expect(try await bob.submit("/admin/budgets/site", ["csrf": token, "tokens": "1"]).status == 403)
        }
    }

    @Test("How addresses lead to files is chosen among the site's pages, kept, and told to hosts as a new state")
    func addresses() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let page = "/sites/bakery/settings"
            #expect(try await browser.get(page).text.contains("<option value=\"404.html\" selected>"))
            let changed = try await browser.post(
                page + "/addresses", from: page, ["mode": "spa", "missing_page": "index.html"])
            #expect(changed.text.contains("Addresses lead there as soon as the hosts have it."))
            #expect(changed.text.contains("value=\"spa\" checked"))
            #expect(changed.text.contains("<option value=\"index.html\" selected>"))
            let view = try await web.coordinator.sites.find(
                "bakery", for: Principal(user: UserID(at: web.clock.now()), role: .admin))
            #expect(view.site.addresses == (try AddressRules(mode: .spa, missingPage: "index.html")))
            let wrong = try await browser.post(
                page + "/addresses", from: page, ["mode": "spa", "missing_page": "../secret.html"])
            #expect(wrong.status == 400 && wrong.text.contains("must be an HTML file of the site"))
            let stranger = try await web.browser(as: "b@example.org")
            let token = try #require(try await stranger.get("/sites").token)
            let refused = try await stranger.submit(page + "/addresses", ["csrf": token, "mode": "pages"])
            #expect(refused.status == 404)
        }
    }

    @Test("An example is one click away from being the message, and what is in an address is text")
    func examples() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let empty = try await browser.get("/sites/bakery/studio").text
            let link = try #require(empty.firstMatch(of: /href="(\?say=[^"#]+)#ask"/)).1
            let filled = try await browser.get("/sites/bakery/studio\(link)").text
            #expect(filled.contains(">Change the headline to &quot;Fresh bread every morning&quot;</textarea>"))
            let hostile = try await browser.get("/sites/bakery/studio?say=%3C%2Ftextarea%3E%3Cscript%3E").text
            #expect(hostile.contains(">&lt;/textarea&gt;&lt;script&gt;</textarea>"))
        }
    }
}
