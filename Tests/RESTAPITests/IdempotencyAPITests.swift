import Testing

@testable import RESTAPI

@Suite struct IdempotencyAPITests {
    private let body: JSONValue = ["slug": "bakery", "name": "Bakery"]

    @Test("The same key gives the same answer, and the work is done once")
    func replay() async throws {
        try await RESTFixture.with { [body] api, _ in
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

    @Test("The same key with another body is a conflict")
    func otherBody() async throws {
        try await RESTFixture.with { [body] api, _ in
            let token = try await api.register("a@example.org")
            let key = [("Idempotency-Key", "k-1")]
            _ = try await api.call("POST", "/api/v1/sites", token: token, headers: key, body)
            let other = try await api.call(
                "POST", "/api/v1/sites", token: token, headers: key, ["slug": "other", "name": "Other"])
            #expect(other.status == 409)
            #expect(other.string("rule") == "idempotency-key-reused")
        }
    }

    @Test("A refusal is not kept: the same key may try again")
    func refusal() async throws {
        try await RESTFixture.with { [body] api, _ in
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

    @Test("Of many at once with one key, the work is done once, and the others are told to try again")
    func concurrent() async throws {
        try await RESTFixture.with { api, _ in
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
            let accepted = answers.filter { $0.status == 202 }
            #expect(!accepted.isEmpty)
            #expect(Set(accepted.map(\.text)).count == 1)
            for answer in answers where answer.status != 202 {
                #expect(answer.string("rule") == "idempotency-key-in-progress")
                #expect(answer.headers.first(name: "retry-after") == "1")
            }
            let edits = try await api.call("GET", "/api/v1/sites/bakery/edits", token: token)
            #expect(edits["items"]?.elements.count == 1)
        }
    }

    @Test("An upload with a key is stored once")
    func upload() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let bytes = try api.archive(["index.html": RESTFixture.page])
            let path = "/api/v1/sites/bakery/versions"
            let key = [("Idempotency-Key", "k")]
            let first = try await api.call("POST", path, token: token, headers: key, bytes: bytes)
            let second = try await api.call("POST", path, token: token, headers: key, bytes: bytes)
            #expect(first.status == 201)
            #expect(first.body == second.body)
            let list = try await api.call("GET", path, token: token)
            #expect(list["items"]?.elements.count == 2)
        }
    }
}
