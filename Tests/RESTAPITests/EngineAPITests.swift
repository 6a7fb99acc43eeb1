import Testing

@testable import RESTAPI

@Suite struct EngineAPITests {
    @Test("An admin sets an engine; the key goes in and never comes out, not even into the log")
    func engines() async throws {
        try await RESTFixture.with { api, _ in
            let admin = try await api.register("ada@example.org")
            let user = try await api.register("bob@example.org")
            let path = "/api/v1/admin/engines/model"
            let secret = "sk-very-secret-value"
            #expect(try await api.call("PUT", path, token: user, ["large_model": "x"]).status == 403)
            let set = try await api.call(
                "PUT", path, token: admin, headers: [("Idempotency-Key", "one")],
                [
                    "provider": "openai-chat", "base_url": "http://127.0.0.1:9/v1", "large_model": "big",
                    "small_model": "tiny", "key": .string(secret), "time_limit_seconds": 300,
                ])
            #expect(set.status == 200, "\(set.text)")
            #expect(set["setting"]?["key_hint"] == "…alue")
            #expect(set["setting"]?["base_url"] == "http://127.0.0.1:9/v1")
            let wrong = try await api.call(
                "PUT", path, token: admin, ["provider": "carrier-pigeon", "key": .string(secret)])
            #expect(wrong.status == 400)
            #expect(wrong["rule"] == "provider-known")
            let list = try await api.call("GET", "/api/v1/admin/engines", token: admin)
            #expect(list["items"]?.elements.count == 4)
            for text in [set.text, wrong.text, list.text, api.log.text] { #expect(!text.contains("very-secret")) }
            #expect(try await api.call("GET", "/api/v1/admin/engines/nobody", token: admin).status == 400)
            #expect(
                try await api.call("PUT", "/api/v1/admin/engines/builtin", token: admin, ["large_model": "x"]).status
                    == 400)
        }
    }

    @Test("A used-up budget is answered with 403 and its name")
    func budgets() async throws {
        try await RESTFixture.with { api, _ in
            let admin = try await api.register("ada@example.org")
            try await api.makeSite("bakery", token: admin)
            let set = try await api.call("PUT", "/api/v1/admin/budgets/site", token: admin, ["tokens": 0])
            #expect(set.status == 200, "\(set.text)")
            #expect(set["tokens"] == 0 && set["money"] == .null)
            let refused = try await api.call(
                "POST", "/api/v1/sites/bakery/edits", token: admin, ["prompt": "Do it", "engine": "model"])
            #expect(refused.status == 403)
            #expect(refused["rule"] == "budget-site")
            let builtin = try await api.call(
                "POST", "/api/v1/sites/bakery/edits", token: admin, ["prompt": "Do it", "engine": "builtin"])
            #expect(builtin.status == 202)
            #expect(builtin["job"]?["from_cache"] == false)
            let shown = try await api.call("GET", "/api/v1/sites/bakery/budget", token: admin)
            #expect(shown["items"]?.elements.count == 2)
            let id = try #require(builtin["job"]?["id"]?.text)
            let usage = try await api.call("GET", "/api/v1/jobs/\(id)/usage", token: admin)
            #expect(usage["items"]?.elements.isEmpty == true)
            #expect(try await api.call("POST", "/api/v1/jobs/\(id)/replay", token: admin).status == 409)
            #expect(try await api.call("PUT", "/api/v1/admin/budgets/year", token: admin, [:]).status == 404)
        }
    }

    @Test("A site is given an engine, and gives it back")
    func siteEngine() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("ada@example.org")
            try await api.makeSite("bakery", token: token)
            let path = "/api/v1/sites/bakery/engine"
            #expect(try await api.call("PUT", path, token: token, ["engine": "claude"])["engine"] == "claude")
            #expect(try await api.call("PUT", path, token: token, ["engine": "nobody"]).status == 400)
            #expect(try await api.call("PUT", path, token: token, [:])["engine"] == .null)
        }
    }
}
