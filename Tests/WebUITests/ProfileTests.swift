import Domain
import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct ProfileTests {
    @Test("Name, address and password are changed; another address or password wants the current one")
    func account() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org")
            let page = "/profile"
            let renamed = try await browser.post(page, from: page, ["name": "Grace", "email": "a@example.org"])
            #expect(renamed.text.contains("Your profile is saved.") && renamed.text.contains(">Grace</span>"))
            let refused = try await browser.post(
                page, from: page, ["name": "Grace", "email": "b@example.org", "current_password": "wrong"])
            #expect(refused.status == 400)
            #expect(refused.text.contains("The current password is wrong."))
            #expect(refused.text.contains("value=\"b@example.org\""))
            let moved = try await browser.post(
                page, from: page,
                ["name": "Grace", "email": "b@example.org", "current_password": WebFixture.password])
            #expect(moved.text.contains("value=\"b@example.org\""))
            let elsewhere = Browser(web)
            try await elsewhere.post(
                "/login", from: "/login", ["email": "b@example.org", "password": WebFixture.password])
            #expect(try await elsewhere.get("/sites").status == 200)
            let changed = try await browser.post(
                "/profile/password", from: page,
                ["current_password": WebFixture.password, "password": "another long password"])
            #expect(changed.text.contains("All your other sessions are over."))
            #expect(try await browser.get("/sites").status == 200)
            #expect(try await elsewhere.get("/sites").status == 303)
            let old = try await elsewhere.post(
                "/login", from: "/login", ["email": "b@example.org", "password": WebFixture.password])
            #expect(old.status == 401)
        }
    }

    @Test("Every log-in is listed and can be ended; what it held is out at once")
    func sessions() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org")
            let phone = Browser(web)
            let form = try await phone.get("/login")
            _ = try await phone.send(
                "POST", "/login",
                headers: [
                    ("Content-Type", "application/x-www-form-urlencoded"),
                    ("User-Agent", "Mozilla/5.0 (iPhone; CPU) Safari/604.1"),
                ],
                body: Array(
                    "csrf=\(try #require(form.token))&email=a%40example.org&password=correct+horse+battery".utf8))
            #expect(try await phone.get("/sites").status == 200)
            let page = try await browser.get("/profile")
            #expect(page.text.contains("Safari on iPhone") && page.text.contains("This one"))
            let path = try #require(page.text.firstMatch(of: /action="(\/profile\/sessions\/sess_[0-9a-z]+\/end)"/)).1
            let ended = try await browser.post(String(path), from: "/profile")
            #expect(ended.text.contains("The session is over.") && !ended.text.contains("Safari on iPhone"))
            #expect(try await phone.get("/sites").status == 303)
            #expect(try await browser.get("/sites").status == 200)
            // The second of two clicks.
            #expect(try await browser.post(String(path), from: "/profile").status == 200)
        }
    }

    @Test("An access token is shown once, works for what it is for, and is revoked")
    func tokens() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let token = try #require(try await browser.get("/profile").token)
            let none = try await browser.submit("/profile/tokens", ["csrf": token, "token_name": "x", "days": "30"])
            #expect(none.status == 400)
            #expect(none.text.contains("A token needs a scope."))
            let made = try await browser.submit(
                "/profile/tokens", ["csrf": token, "token_name": "Deploy <b>", "days": "30", "scope": "read"])
            let secret = try #require(made.text.firstMatch(of: /pwt1\.[0-9a-f]{64}/)).0
            #expect(made.text.contains("Deploy &lt;b&gt;"))
            #expect(try await !browser.get("/profile").text.contains("pwt1."))
            let stranger = Browser(web)
            let headers = [("Authorization", "Bearer \(secret)")]
            #expect(try await stranger.get("/api/v1/sites/bakery", headers: headers).status == 200)
            let change = try await stranger.send(
                "POST", "/api/v1/sites/bakery/rollback",
                headers: headers + [("Content-Type", "application/json")], body: Array("{}".utf8))
            #expect(change.status == 403)
            #expect(change.text.contains("token-scope"))
            let path = try #require(
                made.text.firstMatch(of: /action="(\/profile\/tokens\/token_[0-9a-z]+\/revoke)"/)
            ).1
            try await browser.post(String(path), from: "/profile")
            #expect(try await stranger.get("/api/v1/sites/bakery", headers: headers).status == 401)
        }
    }
}
