import Testing

@testable import RESTAPI

@Suite struct GenerationAPITests {
    private static let brief: JSONValue = [
        "business_name": "Anna's Bakery", "type": "bakery", "description": "We bake bread and cake.",
        "goals": ["People come by"],
    ]

    private func brief(_ changes: [(String, JSONValue)]) -> JSONValue {
        guard case .object(let members) = Self.brief else { return .null }
        let kept = members.filter { member in !changes.contains { $0.0 == member.name } }
        return .object(kept + changes.map { .init(name: $0.0, value: $0.1) })
    }

    @Test("A brief becomes a site with a free name, a first page and a job; nothing is live")
    func accepted() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            let first = try await api.call("POST", "/api/v1/sites/generate", token: token, Self.brief)
            #expect(first.status == 202, "\(first.text)")
            #expect(first.string("status") == "queued")
            #expect(first["site"]?["slug"] == "annas-bakery")
            #expect(first["site"]?["live_version"] == .null)
            #expect(first["site"]?["preview_version"] == 1)
            #expect(first["generation"]?["state"] == "queued")
            let second = try await api.call("POST", "/api/v1/sites/generate", token: token, Self.brief)
            #expect(second["site"]?["slug"] == "annas-bakery-2")
            let job = try await api.call("GET", "/api/v1/jobs/\(first.string("job_id") ?? "")", token: token)
            #expect(job.string("kind") == "generate")
            #expect(job.string("state") == "ready")
            let found = try await api.call("GET", "/api/v1/sites/annas-bakery/generation", token: token)
            #expect(found["brief"]?["goals"] == ["People come by"])
            #expect(found["plan"] == .null)
        }
    }

    @Test("A brief that is wrong names its field; one goal may stand by itself")
    func fields() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            for (field, value) in [
                ("business_name", ""), ("type", ""), ("description", ""), ("goals", []), ("languages", ["xx"]),
                ("slug", "No!"), ("engine", "opera"),
            ] as [(String, JSONValue)] {
                let answer = try await api.call(
                    "POST", "/api/v1/sites/generate", token: token, brief([(field, value)]))
                #expect(answer.status == 400, "\(field): \(answer.text)")
                #expect(answer.string("field") == field)
            }
            let alone = try await api.call(
                "POST", "/api/v1/sites/generate", token: token, brief([("goals", "People come by")]))
            #expect(alone.status == 202)
            let wrong = try await api.call("POST", "/api/v1/sites/generate", token: token, brief([("goals", 7)]))
            #expect(wrong.status == 400 && wrong.string("field") == "goals")
        }
    }

    @Test("The same key makes one site")
    func idempotency() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            let headers = [("Idempotency-Key", "one")]
            let first = try await api.call("POST", "/api/v1/sites/generate", token: token, headers: headers, Self.brief)
            let again = try await api.call("POST", "/api/v1/sites/generate", token: token, headers: headers, Self.brief)
            #expect(first.string("job_id") == again.string("job_id"))
            let sites = try await api.call("GET", "/api/v1/sites", token: token)
            #expect(sites["items"]?.elements.count == 1)
        }
    }

    @Test(
        "A plan cannot be changed before it is there, a running generation cannot go on twice, and others see nothing")
    func states() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            let other = try await api.register("b@example.org")
            let made = try await api.call(
                "POST", "/api/v1/sites/generate", token: token, brief([("review_plan", true), ("slug", "bakery")]))
            #expect(made["generation"]?["review_plan"] == true)
            let path = "/api/v1/sites/bakery/generation"
            let plan: JSONValue = ["pages": [["title": "Home"], ["title": "About us", "role": "about"]]]
            #expect(try await api.call("PUT", path + "/plan", token: token, plan).status == 409)
            #expect(try await api.call("POST", path + "/continue", token: token).status == 409)
            for (method, rest) in [("GET", ""), ("POST", "/continue")] {
                #expect(try await api.call(method, path + rest, token: other).status == 404)
            }
            #expect(try await api.call("PUT", path + "/plan", token: other, plan).status == 404)
            let wrong = try await api.call(
                "PUT", path + "/plan", token: token, ["pages": [["title": "A", "role": "x"]]])
            #expect(wrong.string("rule") == "plan-role")
            // A stopped one goes on, and so does a retry of its job.
            let id = made.string("job_id") ?? ""
            #expect(try await api.call("POST", "/api/v1/jobs/\(id)/cancel", token: token).status == 202)
            let stopped = try await api.call("GET", path, token: token)
            #expect(stopped.string("state") == "cancelled")
            let retried = try await api.call("POST", "/api/v1/jobs/\(id)/retry", token: token)
            #expect(retried.status == 202 && retried.string("kind") == "generate")
            try await api.makeSite("plain", token: token)
            #expect(try await api.call("GET", "/api/v1/sites/plain/generation", token: token).status == 404)
        }
    }
}
