import Testing

@testable import RESTAPI

@Suite struct ProfileAPITests {
    @Test("A token with a scope does what it is for, and nothing of its owner's account")
    func tokens() async throws {
        try await RESTFixture.with { api, _ in
            let session = try await api.register("a@example.org")
            let made = try await api.call(
                "POST", "/api/v1/me/tokens", token: session,
                ["name": "deploy", "scopes": ["write"], "days": 30])
            #expect(made.status == 201)
            let secret = try #require(made.string("secret"))
            #expect(secret.hasPrefix("pwt1."))
            let list = try await api.call("GET", "/api/v1/me/tokens", token: session)
            #expect(list["items"]?.elements.first?["name"]?.text == "deploy")
            #expect(!list.text.contains("pwt1."))
            let site = try await api.call(
                "POST", "/api/v1/sites", token: secret, ["slug": "bakery", "name": "Bakery"])
            #expect(site.status == 201, "\(site.text)")
            // The owner is an admin; the token has not that scope.
            #expect(try await api.call("GET", "/api/v1/hosts", token: secret).status == 403)
            for (method, path) in [
                ("POST", "/api/v1/me/tokens"), ("PATCH", "/api/v1/me"), ("DELETE", "/api/v1/me/sessions"),
            ] {
                let body: JSONValue = method == "POST" ? ["name": "x", "scopes": ["read"]] : .object([])
                let answer = try await api.call(method, path, token: secret, body)
                #expect(answer.status == 403, "\(method) \(path)")
            }
            api.clock.advance(by: .seconds(31 * 86_400))
            #expect(try await api.call("GET", "/api/v1/sites", token: secret).status == 401)
        }
    }

    @Test("A token that may only look changes nothing; one with no scope, or a word that is none, is refused")
    func scopes() async throws {
        try await RESTFixture.with { api, _ in
            let session = try await api.register("a@example.org")
            let made = try await api.call(
                "POST", "/api/v1/me/tokens", token: session, ["name": "look", "scopes": ["read"]])
            let secret = try #require(made.string("secret"))
            #expect(try await api.call("GET", "/api/v1/sites", token: secret).status == 200)
            let refused = try await api.call(
                "POST", "/api/v1/sites", token: secret, ["slug": "bakery", "name": "Bakery"])
            #expect(refused.status == 403)
            #expect(refused.string("rule") == "token-scope")
            let none = try await api.call(
                "POST", "/api/v1/me/tokens", token: session, ["name": "x", "scopes": []])
            #expect(none.status == 400)
            let long = try await api.call(
                "POST", "/api/v1/me/tokens", token: session, ["name": "x", "scopes": ["read"], "days": 400])
            #expect(long.string("rule") == "token-lifetime")
        }
    }

    @Test("A session that was ended is out with its access token too")
    func sessions() async throws {
        try await RESTFixture.with { api, _ in
            let first = try await api.register("a@example.org")
            let login = try await api.call(
                "POST", "/api/v1/auth/login",
                ["email": "a@example.org", "password": .string(RESTFixture.password)])
            let second = try #require(login.string("access_token"))
            let list = try await api.call("GET", "/api/v1/me/sessions", token: first)
            #expect(list["items"]?.elements.count == 2)
            let ended = try await api.call("DELETE", "/api/v1/me/sessions", token: first)
            #expect(ended.status == 204)
            #expect(try await api.call("GET", "/api/v1/me", token: second).status == 401)
            #expect(try await api.call("GET", "/api/v1/me", token: first).status == 200)
        }
    }

    @Test("A version gets a name and a pin, and its texts can be written by hand")
    func labels() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            let site = try await api.call(
                "POST", "/api/v1/sites", token: token, ["slug": "bakery", "name": "Bakery"])
            #expect(site.status == 201)
            let path = "/api/v1/sites/bakery/versions/1"
            let named = try await api.call(
                "PUT", path + "/label", token: token, ["name": "First", "pinned": true])
            #expect(named["name"]?.text == "First")
            let shown = try await api.call("GET", path, token: token)
            #expect(shown["name"]?.text == "First")
            let gone = try await api.call(
                "POST", path + "/texts", token: token, ["path": "index.html", "old": "no such text", "new": "x"])
            #expect(gone.status == 409)
            #expect(gone.string("rule") == "text-place")
        }
    }
}
