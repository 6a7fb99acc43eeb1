import TestDatabases
import Testing

@testable import RESTAPI

@Suite struct JobAPITests {
    @Test("An edit becomes a job that waits, is cancelled, and is tried again", arguments: TestDatabase.allCases)
    func edit(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            let site = try await api.makeSite("bakery", token: token)
            let accepted = try await api.call(
                "POST", "/api/v1/sites/bakery/edits", token: token,
                ["prompt": "Change the headline to \"Hi\"", "engine": "builtin", "base_version": 1])
            #expect(accepted.status == 202, "\(accepted.text)")
            #expect(accepted["edit"]?["site_id"]?.text == site)
            #expect(accepted["job"]?["state"] == "ready")
            #expect(accepted["job"]?["failure"] == .null)
            let id = try #require(accepted["job"]?["id"]?.text)
            let found = try await api.call("GET", "/api/v1/jobs/\(id)", token: token)
            #expect(found["prompt"]?.text == "Change the headline to \"Hi\"")
            let list = try await api.call("GET", "/api/v1/jobs?site=bakery&state=ready", token: token)
            #expect(list["items"]?.elements.count == 1)
            let log = try await api.call("GET", "/api/v1/jobs/\(id)/log", token: token)
            #expect(log.headers.first(name: "content-type") == "text/plain; charset=utf-8")
            let early = try await api.call("POST", "/api/v1/jobs/\(id)/retry", token: token)
            #expect(early.status == 409)
            let cancelled = try await api.call("POST", "/api/v1/jobs/\(id)/cancel", token: token)
            #expect(cancelled.status == 202)
            #expect(cancelled["state"] == "cancelled")
            let retried = try await api.call("POST", "/api/v1/jobs/\(id)/retry", token: token)
            #expect(retried.status == 202)
            #expect(retried.string("id") != id)
            let edits = try await api.call("GET", "/api/v1/sites/bakery/edits", token: token)
            #expect(edits["items"]?.elements.count == 2)
        }
    }

    @Test(
        "A prompt of 20,000 characters fits, however they are written; one more does not",
        arguments: TestDatabase.allCases)
    func longPrompt(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let path = "/api/v1/sites/bakery/edits"
            // Each is one character of two code points, written as three escapes.
            let escaped = String(repeating: "\\ud83d\\udc4d\\ufe0f", count: 20_000)
            let fits = try await api.call("POST", path, token: token, bytes: Array("{\"prompt\":\"\(escaped)\"}".utf8))
            #expect(fits.status == 202)
            let long = try await api.call(
                "POST", path, token: token, ["prompt": .string(String(repeating: "a", count: 20_001))])
            #expect(long.status == 400)
            #expect(long.string("field") == "prompt")
            #expect(long.string("rule") == "prompt-length")
        }
    }

    @Test(
        "Unknown engines, versions, jobs and states are refused in the caller's words", arguments: TestDatabase.allCases
    )
    func refusals(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let path = "/api/v1/sites/bakery/edits"
            let engine = try await api.call("POST", path, token: token, ["prompt": "x", "engine": "magic"])
            #expect(engine.string("rule") == "engine-known")
            let version = try await api.call("POST", path, token: token, ["prompt": "x", "base_version": 9])
            #expect(version.status == 404)
            for id in ["nonsense", "job_0000000000000000000000"] {
                #expect(try await api.call("GET", "/api/v1/jobs/\(id)", token: token).status == 404)
            }
            let state = try await api.call("GET", "/api/v1/jobs?state=asleep", token: token)
            #expect(state.string("rule") == "job-state")
        }
    }

    @Test("Hosts are for admins; an invitation is shown once and is in no table", arguments: TestDatabase.allCases)
    func hosts(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let admin = try await api.register("admin@example.org")
            let user = try await api.register("user@example.org")
            #expect(try await api.call("GET", "/api/v1/hosts", token: user).status == 403)
            #expect(try await api.call("GET", "/api/v1/hosts", token: admin).json == ["items": []])
            let path = "/api/v1/hosts/invitations"
            #expect(try await api.call("POST", path, token: user, ["roles": ["worker"]]).status == 403)
            let key = [("Idempotency-Key", "one")]
            let made = try await api.call("POST", path, token: admin, headers: key, ["roles": ["worker", "serving"]])
            #expect(made.status == 201)
            #expect(made["roles"] == ["serving", "worker"])
            let second = try await api.call("POST", path, token: admin, headers: key, ["roles": ["worker", "serving"]])
            #expect(second.string("token") != made.string("token"))
            let role = try await api.call("POST", path, token: admin, ["roles": ["king"]])
            #expect(role.string("rule") == "role-known")
            let types = try await api.call("POST", path, token: admin, ["roles": ["worker", 1]])
            #expect(types.string("field") == "roles[1]")
            let missing = try await api.call(
                "POST", "/api/v1/hosts/host_0000000000000000000000/drain", token: admin)
            #expect(missing.status == 404)
        }
    }
}
