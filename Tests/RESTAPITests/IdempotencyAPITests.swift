import FleetIdentity
import TestDatabases
import Testing

@testable import RESTAPI

@Suite struct IdempotencyAPITests {
    private let body: JSONValue = ["slug": "bakery", "name": "Bakery"]

    @Test("The same key gives the same answer, and the work is done once", arguments: TestDatabase.allCases)
    func replay(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { [body] api, _ in
            let token = try await api.register("a@example.org")
            let key = [("Idempotency-Key", "k-1")]
            let first = try await api.call("POST", "/api/v1/sites", token: token, headers: key, body)
            let second = try await api.call("POST", "/api/v1/sites", token: token, headers: key, body)
            #expect(first.status == 201)
            #expect(second.status == 201)
            #expect(second.body == first.body)
            #expect(second.headers.first(name: "idempotent-replayed") == "true")
            let deleted = try await api.call("DELETE", "/api/v1/sites/bakery", token: token, headers: key)
            let again = try await api.call("DELETE", "/api/v1/sites/bakery", token: token, headers: key)
            #expect(deleted.status == 204)
            #expect(again.status == 204)
        }
    }

    @Test("The same key with another body is a conflict", arguments: TestDatabase.allCases)
    func otherBody(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { [body] api, _ in
            let token = try await api.register("a@example.org")
            let key = [("Idempotency-Key", "k-1")]
            _ = try await api.call("POST", "/api/v1/sites", token: token, headers: key, body)
            let other = try await api.call(
                "POST", "/api/v1/sites", token: token, headers: key, ["slug": "other", "name": "Other"])
            #expect(other.status == 409)
            #expect(other.string("rule") == "idempotency-key-reused")
        }
    }

    @Test("A refusal is not kept: the same key may try again", arguments: TestDatabase.allCases)
    func refusal(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { [body] api, _ in
            let token = try await api.register("a@example.org")
            let key = [("Idempotency-Key", "k-1")]
            let site = try await api.makeSite("bakery", token: token)
            let taken = try await api.call("POST", "/api/v1/sites", token: token, headers: key, body)
            #expect(taken.status == 409)
            _ = try await api.call("DELETE", "/api/v1/sites/\(site)", token: token)
            let made = try await api.call("POST", "/api/v1/sites", token: token, headers: key, body)
            #expect(made.status == 201)
        }
    }

    @Test(
        "Of many at once with one key, the work is done once, and all get its answer", arguments: TestDatabase.allCases)
    func concurrent(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let answers = try await withThrowingTaskGroup(of: RESTAnswer.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await api.call(
                            "POST", "/api/v1/sites/bakery/edits", token: token, headers: [("Idempotency-Key", "k")],
                            ["prompt": "Change the headline"])
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.map(\.status) == Array(repeating: 202, count: 8))
            #expect(Set(answers.map(\.text)).count == 1)
            let edits = try await api.call("GET", "/api/v1/sites/bakery/edits", token: token)
            #expect(edits["items"]?.elements.count == 1)
        }
    }

    /// One call of each operation that takes a key, but for those of ``RepeatedCallTests``, in an order in which each is
    /// possible. `SITE`, `JOB`, `HOST` and `ROLLOUT` stand for identifiers.
    private static let mutations: [(method: String, path: String, body: JSONValue?)] = [
        ("POST", "/api/v1/sites", ["slug": "second", "name": "Second"]),
        ("PATCH", "/api/v1/sites/SITE", ["name": "Another name"]),
        ("POST", "/api/v1/sites/SITE/versions?promote=true", nil),
        ("PUT", "/api/v1/sites/SITE/versions/2/label", ["name": "Spring"]),
        (
            "POST", "/api/v1/sites/SITE/versions/2/texts",
            ["path": "index.html", "old": "Hello", "new": "Good day"]
        ),
        ("POST", "/api/v1/sites/SITE/undo", nil),
        ("POST", "/api/v1/sites/SITE/rollback", ["version": 1]),
        ("POST", "/api/v1/sites/SITE/promote", ["version": 2]),
        ("PUT", "/api/v1/sites/SITE/preview", ["version": 1]),
        ("POST", "/api/v1/sites/SITE/domains", ["domain": "www.example.org"]),
        ("DELETE", "/api/v1/sites/SITE/domains/www.example.org", nil),
        ("PUT", "/api/v1/sites/SITE/maintenance", ["message": "Soon."]),
        ("DELETE", "/api/v1/sites/SITE/maintenance", nil),
        ("POST", "/api/v1/sites/SITE/edits", ["prompt": "Change the headline"]),
        ("POST", "/api/v1/jobs/JOB/cancel", nil),
        ("POST", "/api/v1/jobs/JOB/retry", nil),
        ("PUT", "/api/v1/sites/SITE/locks", ["patterns": ["legal/"]]),
        ("PUT", "/api/v1/sites/SITE/engine", ["engine": "builtin"]),
        ("POST", "/api/v1/sites/SITE/conversations", ["title": "Spring"]),
        ("PUT", "/api/v1/sites/SITE/placement", ["copies": 1]),
        ("DELETE", "/api/v1/sites/SITE/placement", nil),
        (
            "POST", "/api/v1/sites/generate",
            [
                "business_name": "Morrow", "type": "bakery", "description": "Bread by the harbour.",
                "goals": ["Visit the shop"],
            ]
        ),
        ("POST", "/api/v1/sites/SITE/versions/2/checks", ["pages": ["index.html"]]),
        ("PATCH", "/api/v1/me", ["name": "Ada L."]),
        ("DELETE", "/api/v1/me/sessions", nil),
        ("PUT", "/api/v1/hosts/HOST/labels", ["labels": "zone=north"]),
        ("POST", "/api/v1/rollouts", ["version": "9.9.9"]),
        ("POST", "/api/v1/rollouts/ROLLOUT/cancel", nil),
        ("POST", "/api/v1/hosts/HOST/drain", nil),
        ("POST", "/api/v1/hosts/HOST/resume", nil),
        ("POST", "/api/v1/hosts/HOST/revoke", nil),
        ("DELETE", "/api/v1/sites/SITE", nil),
    ]

    @Test(
        "Every operation that takes a key has its effect once, and gives its first answer again",
        arguments: TestDatabase.allCases)
    func everyMutation(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            let site = try await api.makeSite("bakery", token: token)
            let invitation = try await api.call(
                "POST", "/api/v1/hosts/invitations", token: token, ["roles": ["worker"]])
            let host = try await api.coordinator.membership.enrol(
                secret: try JoinToken(try #require(invitation.string("token"))).secret.text,
                signingRequest: try AgentKey().signingRequest(), hostName: "host", agentVersion: "1"
            ).host.text
            let upload = try api.archive(["index.html": RESTFixture.page])
            var (job, rollout) = ("", "")
            var tried: Set<String> = []
            for mutation in Self.mutations {
                let path = mutation.path.replacing("SITE", with: site).replacing("JOB", with: job)
                    .replacing("HOST", with: host).replacing("ROLLOUT", with: rollout)
                let bytes =
                    mutation.body.map { JSONWriter.bytes(of: $0) } ?? (path.contains("versions?") ? upload : nil)
                let (first, operation) = try await api.callTwice(
                    mutation.method, path, token: token, key: "k-\(tried.count)", bytes: bytes)
                if path.hasSuffix("/rollouts") { rollout = try #require(first.string("id")) }
                if path.hasSuffix("/edits") { job = try #require(first["job"]?["id"]?.text) }
                tried.insert(operation)
            }
            let all = api.table.routes.filter(\.isRepeatable).map { "\($0.method.rawValue) \($0.path)" }
            #expect(tried.union(RepeatedCallTests.operations) == Set(all))
        }
    }
}
