import Domain
import Testing

@Suite(.timeLimit(.minutes(5))) struct WizardTests {
    private static let answers = [
        "business_name": "Miller's Bakery", "type": "Bakery", "description": "We bake bread", "audience": "",
        "goals": "Come by", "style": "Warm and homely",
    ]

    @Test("Six questions make a site and a job, once, and the page says what is waited for")
    func begin() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org")
            #expect(try await browser.get("/sites/new").text.contains("/sites/new/describe"))
            let page = "/sites/new/describe"
            let short = try await browser.post(page, from: page, ["business_name": "Miller's Bakery"])
            #expect(short.status == 400)
            #expect(short.text.contains("value=\"Miller&#39;s Bakery\"") && short.text.contains("role=\"alert\""))
            let form = try await browser.get(page)
            let fields = Self.answers.merging(
                ["csrf": try #require(form.token), "once": try #require(form.once)]) { $1 }
            let first = try await browser.submit(page, fields)
            let place = try #require(first.location, "\(first.text)")
            #expect(place.hasPrefix("/sites/") && place.hasSuffix("/making"))
            #expect(try await browser.submit(page, fields).location == place)
            #expect(try await browser.get("/sites").text.matches(of: /class="card site"/).count == 1)
            let making = try await browser.get(place)
            #expect(making.text.contains("Waiting") && making.text.contains("<h1>Miller&#39;s Bakery</h1>"))
            #expect(try await browser.get(place + "/state").status == 200)
            // Nothing to go on with yet, and a click too many does no harm.
            #expect(try await browser.post(place, from: place).status == 200)
            let bob = try await web.browser(as: "bob@example.org")
            #expect(try await bob.get(place).status == 404)
        }
    }
}
