import Testing

@testable import RESTAPI

@Suite struct AccountAPITests {
    @Test("Somebody registers, logs in, refreshes and logs out")
    func lifeOfASession() async throws {
        try await RESTFixture.with { api, _ in
            let registered = try await api.call(
                "POST", "/api/v1/auth/register",
                ["email": "Ada@Example.org", "password": .string(RESTFixture.password), "name": "Ada"])
            #expect(registered.status == 201)
            #expect(registered["user"]?["role"]?.text == "admin")
            #expect(registered["user"]?["email"]?.text == "ada@example.org")
            let me = try await api.call("GET", "/api/v1/me", token: registered.string("access_token"))
            #expect(me.json == registered["user"])
            #expect(me.headers.first(name: "cache-control") == "no-store")
            let login = try await api.call(
                "POST", "/api/v1/auth/login",
                ["email": "ada@example.org", "password": .string(RESTFixture.password)])
            #expect(login.status == 200)
            let token = try #require(login.string("refresh_token"))
            let refreshed = try await api.call("POST", "/api/v1/auth/refresh", ["refresh_token": .string(token)])
            #expect(refreshed.status == 200)
            let next = try #require(refreshed.string("refresh_token"))
            let out = try await api.call("POST", "/api/v1/auth/logout", ["refresh_token": .string(next)])
            #expect(out.status == 204)
            let late = try await api.call("POST", "/api/v1/auth/refresh", ["refresh_token": .string(next)])
            #expect(late.status == 401)
        }
    }

    @Test("A refresh token that is used twice ends the session")
    func reuse() async throws {
        try await RESTFixture.with { api, _ in
            let registered = try await api.call(
                "POST", "/api/v1/auth/register",
                ["email": "a@example.org", "password": .string(RESTFixture.password), "name": "Ada"])
            let token = try #require(registered.string("refresh_token"))
            let second = try await api.call("POST", "/api/v1/auth/refresh", ["refresh_token": .string(token)])
            let next = try #require(second.string("refresh_token"))
            let stolen = try await api.call("POST", "/api/v1/auth/refresh", ["refresh_token": .string(token)])
            #expect(stolen.status == 401)
            let victim = try await api.call("POST", "/api/v1/auth/refresh", ["refresh_token": .string(next)])
            #expect(victim.status == 401)
        }
    }

    @Test("Without a token, with a wrong one, and after its end, the answer is 401 and says how to go on")
    func unauthenticated() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            for headers in [[], [("Authorization", "Basic YTpi")], [("Authorization", "Bearer nonsense")]] {
                let answer = try await api.call("GET", "/api/v1/me", headers: headers)
                #expect(answer.status == 401)
                #expect(answer.headers.first(name: "www-authenticate") == "Bearer")
            }
            api.clock.advance(by: .seconds(15 * 60))
            let late = try await api.call("GET", "/api/v1/me", token: token)
            #expect(late.status == 401)
            #expect(late.string("rule") == "access-token-expired")
            #expect(late.string("next_step") != nil)
        }
    }

    @Test("Guessing passwords is answered with 429 and the time to wait")
    func rateLimit() async throws {
        try await RESTFixture.with { api, _ in
            _ = try await api.register("a@example.org")
            var last: RESTAnswer?
            for _ in 0..<11 {
                last = try await api.call(
                    "POST", "/api/v1/auth/login", ["email": "a@example.org", "password": "wrong"])
            }
            #expect(last?.status == 429)
            let wait = last?.headers.first(name: "retry-after").flatMap { Int($0) }
            #expect((1...61).contains(wait ?? 0))
        }
    }

    @Test("Passwords and tokens are not in the log")
    func secrets() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            _ = try await api.call(
                "POST", "/api/v1/auth/login", ["email": "a@example.org", "password": "a wrong secret"])
            _ = try await api.call("GET", "/api/v1/me", token: token)
            let log = api.log.text
            #expect(log.contains("Answered request"))
            #expect(!log.contains(RESTFixture.password))
            #expect(!log.contains("a wrong secret"))
            #expect(!log.contains(token))
        }
    }
}
