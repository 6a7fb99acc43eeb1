import Domain
import Testing

@testable import Coordinator
@testable import WebUI

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

    @Test(
        "A bar of what is used says in words when little or nothing is left",
        arguments: [(0, 10, ""), (7, 10, ""), (8, 10, "near"), (9, 10, "near"), (10, 10, "full"), (12, 10, "full")])
    func quota(used: Int, allowed: Int, kind: String) throws {
        let templates = try PageTemplates(try WebFixture.resources.files(in: "templates"))
        let text = try templates.render("quota", Quota(used: used, allowed: allowed, unit: "edits").values)
        #expect(text.contains("class=\"quota \(kind)\"") && text.contains("\(used) of \(allowed) edits"))
        #expect(text.contains("Nearly used up") == (kind == "near"))
        #expect(text.contains("Limit reached") == (kind == "full"))
        // Above low and above high a browser colours the bar anew.
        #expect(text.contains("low=\"8\" high=\"9\" optimum=\"0\" max=\"10\""))
    }

    @Test(
        "What a change waits for is a sentence without identifiers, for every reason",
        arguments: JobWait.Reason.allCases)
    func waits(reason: JobWait.Reason) throws {
        let since = Timestamp(millisecondsSinceEpoch: 1_795_313_452_704)
        let wait = JobWait(
            reason: reason, message: "job_1 since 2026-11-22T02:10:52.704Z",
            heldBy: reason == .siteBusy ? JobID(at: since) : nil, since: reason == .siteBusy ? since : nil, position: 3)
        let templates = try PageTemplates(try WebFixture.resources.files(in: "templates"))
        let html = try templates.render("why", WaitSentence.values(wait))
        let words = html.replacing(/<[^>]*>/, with: "")
        #expect(!words.contains("job_") && !words.contains("Z") && words.contains("."), "\(words)")
        #expect(html.contains("number 3 in the line") == [.siteBusy, .workersBusy].contains(reason))
        #expect(html.contains("<time datetime=\"2026-11-22T02:10:52.704Z\">") == (reason == .siteBusy))
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

    @Test("A card counts the changes that visitors do not see yet")
    func unreleased() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            #expect(try await !browser.get("/sites").text.contains("unreleased"))
            _ = try await browser.uploadVersion("bakery", headline: "Two")
            #expect(try await browser.get("/sites").text.contains(">1 unreleased change<"))
            _ = try await browser.uploadVersion("bakery", headline: "Three")
            #expect(try await browser.get("/sites").text.contains(">2 unreleased changes<"))
        }
    }

    @Test("Where a domain leads is looked up for the site's own domains, and for no other")
    func domainCheck() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let page = "/sites/bakery/settings"
            try await browser.post(page + "/domains", from: page, ["domain": "www.example.invalid"])
            let link = try #require(
                try await browser.get(page).text.firstMatch(of: /data-src="([^"]+domains\/check[^"]+)"/)
            ).1
            let answer = try await browser.get(String(link))
            // Without a network nobody can tell; with one the name does not exist.
            #expect(answer.text.contains("Leads nowhere yet") || answer.text.contains("Nobody could tell just now"))
            #expect(try await browser.get(page + "/domains/check?domain=www.example.org").status == 404)
            let stranger = try await web.browser(as: "b@example.org")
            #expect(try await stranger.get(String(link)).status == 404)
        }
    }
}
