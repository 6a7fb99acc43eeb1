import Domain
import Foundation
import TestDatabases
import Testing

@testable import Coordinator
@testable import RESTAPI

/// Calls that are made twice: those that need the work of a worker, another person or another log-in first, and those
/// that take no key.
@Suite struct RepeatedCallTests {
    /// What ``laterMutations(on:)`` calls; ``IdempotencyAPITests`` calls everything else.
    static let operations: Set<String> = [
        "POST /api/v1/jobs/{job}/replay", "POST /api/v1/jobs/{job}/accept",
        "POST /api/v1/sites/{site}/versions/{version}/accept",
        "POST /api/v1/sites/{site}/edits/{edit}/pick", "POST /api/v1/sites/{site}/edits/{edit}/run",
        "PUT /api/v1/sites/{site}/generation/plan", "POST /api/v1/sites/{site}/generation/continue",
        "PATCH /api/v1/admin/users/{user}", "DELETE /api/v1/me/sessions/{session}", "DELETE /api/v1/me/tokens/{token}",
    ]

    private static let form = "<h1>Hello</h1><form action=\"/\"><button>Send</button></form>"

    @Test(
        "Every operation that needs the work of others first has its effect once, and gives its first answer again",
        arguments: TestDatabase.allCases)
    func laterMutations(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            let tried =
                try await Self.ofAccounts(api, token) + Self.ofEdits(api, token) + Self.ofGenerations(api, token)
            #expect(Set(tried) == Self.operations)
        }
    }

    private static func ofAccounts(_ api: RESTFixture, _ token: String) async throws -> [String] {
        var tried: [String] = []
        let other = try await api.register("b@example.org")
        let user = try #require(try await api.call("GET", "/api/v1/me", token: other).string("id"))
        tried += try await [
            api.callTwice("PATCH", "/api/v1/admin/users/\(user)", token: token, key: "user", ["role": "admin"])
                .operation
        ]
        func sessions() async throws -> Set<String> {
            let list = try await api.call("GET", "/api/v1/me/sessions", token: token)["items"]?.elements ?? []
            return Set(list.compactMap { $0["id"]?.text })
        }
        let before = try await sessions()
        _ = try await api.call(
            "POST", "/api/v1/auth/login",
            ["email": "a@example.org", "password": .string(RESTFixture.password)])
        let elsewhere = try #require(try await sessions().subtracting(before).first)
        tried += try await [
            api.callTwice("DELETE", "/api/v1/me/sessions/\(elsewhere)", token: token, key: "session").operation
        ]
        let made = try await api.call("POST", "/api/v1/me/tokens", token: token, ["name": "CI", "scopes": ["read"]])
        let id = try #require(made["token"]?["id"]?.text, "\(made.text)")
        tried += try await [
            api.callTwice("DELETE", "/api/v1/me/tokens/\(id)", token: token, key: "token").operation
        ]
        return tried
    }

    private static func ofEdits(_ api: RESTFixture, _ token: String) async throws -> [String] {
        var tried: [String] = []
        try await api.makeSite("bakery", token: token)
        let site = "/api/v1/sites/bakery"
        let withForm = RESTFixture.page.replacing("<h1>Hello</h1>", with: form)
        _ = try await api.call(
            "POST", site + "/versions", token: token, bytes: try api.archive(["index.html": withForm]))

        let plan = try await api.call(
            "POST", site + "/edits", token: token, ["prompt": "Change the headline to \"Hi\"", "mode": "plan"])
        let planned = try #require(plan["edit"]?["id"]?.text)
        let page = withForm.replacing("Hello", with: "Hi")
        try await EditingAPITests.work(api, plan["job"]?["id"]?.text, page: page)
        let (run, operation) = try await api.callTwice(
            "POST", site + "/edits/\(planned)/run", token: token, key: "run")
        tried.append(operation)
        let job = try #require(run["job"]?["id"]?.text)
        try await EditingAPITests.work(api, job, page: page)
        let (replay, second) = try await api.callTwice("POST", "/api/v1/jobs/\(job)/replay", token: token, key: "again")
        tried.append(second)
        let replaying = try #require(replay["id"]?.text ?? replay["job"]?["id"]?.text)
        _ = try await api.call("POST", "/api/v1/jobs/\(replaying)/cancel", token: token)

        let bad = try await api.call(
            "POST", site + "/edits", token: token, ["prompt": "Change the headline to \"Hey\""])
        let refused = try #require(bad["job"]?["id"]?.text)
        try await EditingAPITests.work(api, refused, page: RESTFixture.page)
        let (_, third) = try await api.callTwice(
            "POST", "/api/v1/jobs/\(refused)/accept", token: token, key: "accept",
            ["findings": [["rule": "form-lost", "path": "index.html"]]])
        tried.append(third)

        let tries = try await api.call(
            "POST", site + "/edits", token: token, ["prompt": "Change the headline to \"Ho\"", "variants": 2])
        let variants = tries["variants"]?.elements ?? []
        #expect(variants.count == 2)
        for (number, variant) in variants.enumerated() {
            try await EditingAPITests.work(
                api, variant["job"]?["id"]?.text, page: RESTFixture.page.replacing("Hello", with: "Ho \(number)"))
        }
        let first = try #require(tries["edit"]?["id"]?.text)
        tried += try await [api.callTwice("POST", site + "/edits/\(first)/pick", token: token, key: "pick").operation]

        let last = try await api.call(
            "POST", site + "/edits", token: token, ["prompt": "Change the headline to \"Ha\""])
        let worse = try #require(last["job"]?["id"]?.text)
        try await EditingAPITests.work(
            api, worse, page: RESTFixture.page.replacing("Hello", with: "Ha"),
            seen: Finding(severity: .error, rule: "id-twice", path: "index.html", subject: "a", message: "Twice."))
        let version = try #require(try await api.call("GET", "/api/v1/jobs/\(worse)", token: token)["version"]?.integer)
        tried += try await [
            api.callTwice(
                "POST", site + "/versions/\(version)/accept", token: token, key: "worse",
                ["findings": [["rule": "id-twice", "path": "index.html"]]]
            ).operation
        ]
        return tried
    }

    private static func ofGenerations(_ api: RESTFixture, _ token: String) async throws -> [String] {
        let made = try await api.call(
            "POST", "/api/v1/sites/generate", token: token,
            [
                "business_name": "Anna's Bakery", "type": "bakery", "description": "We bake bread.",
                "goals": ["People come by"], "slug": "annas", "review_plan": true,
            ])
        try await stopAtPlan(api, made.string("job_id"))
        let path = "/api/v1/sites/annas/generation"
        return try await [
            api.callTwice(
                "PUT", path + "/plan", token: token, key: "plan",
                ["pages": [["title": "Home"], ["title": "About us", "role": "about"]]]
            ).operation,
            api.callTwice("POST", path + "/continue", token: token, key: "on").operation,
        ]
    }

    /// Does what a worker does that was told to make a plan and no more.
    private static func stopAtPlan(_ api: RESTFixture, _ job: String?) async throws {
        let coordinator = api.coordinator
        let host = try await EditingAPITests.worker(api)
        let id = try #require(job.flatMap(JobID.init))
        let offer = try #require(try await coordinator.ledger.grant(id, to: host, able: [.builtin]))
        _ = try await coordinator.ledger.accept(offer.lease, from: host)
        let sitemap = try Sitemap(
            kind: .restaurant, pages: [PlannedPage(name: "index", title: "Home", purpose: "", role: .home)])
        let step = GenerationStep(
            name: .plan, input: "{}", output: String(decoding: try JSONEncoder().encode(sitemap), as: UTF8.self))
        let verdict = try await coordinator.completions.complete(
            JobCompletion(
                lease: offer.lease,
                outcome: .succeeded(changes: ManifestDelta(upserts: [], removals: []), digest: offer.base), summary: "",
                usage: .zero, steps: [step]), from: host)
        #expect(verdict == .applied)
    }

    /// Why an operation that changes something takes no key.
    private enum Reason {
        /// The second call is refused, because the state is another one by then.
        case refusedThen
        /// It sets something to what it says, the second time to the same.
        case setsTheSame
        /// Its answer has a secret, which is not kept; what a lost answer made is never used, and goes by itself or by hand.
        case answersWithSecret
        /// Whoever calls has no account yet, to whom a key could belong.
        case belongsToNobody
        /// It keeps nothing.
        case onlyAsks
    }

    private static let withoutKey: [String: Reason] = [
        "POST /api/v1/auth/register": .belongsToNobody, "POST /api/v1/auth/login": .belongsToNobody,
        "POST /api/v1/auth/refresh": .belongsToNobody, "POST /api/v1/auth/logout": .belongsToNobody,
        "POST /api/v1/me/tokens": .answersWithSecret, "POST /api/v1/hosts/invitations": .answersWithSecret,
        "POST /api/v1/jobs/{job}/unlock": .refusedThen, "POST /api/v1/recovery/accept": .refusedThen,
        "POST /api/v1/brakes/{brake}/release": .refusedThen, "PUT /api/v1/admin/engines/{engine}": .setsTheSame,
        "PUT /api/v1/admin/budgets/{scope}": .setsTheSame, "POST /api/v1/admin/engines/{engine}/test": .onlyAsks,
    ]

    @Test("What takes no key is known, and has a reason")
    func withoutKeys() async throws {
        try await RESTFixture.with { api, _ in
            let others = api.table.routes.filter { $0.method != .get && !$0.isRepeatable }
                .map { "\($0.method.rawValue) \($0.path)" }
            #expect(Set(others) == Set(Self.withoutKey.keys))
        }
    }

    @Test("Setting the same once more gives the same answer", arguments: TestDatabase.allCases)
    func settings(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            let engine: JSONValue = [
                "provider": "openai-chat", "base_url": "http://127.0.0.1:9/v1", "large_model": "big",
            ]
            for (path, body) in [("budgets/day", ["tokens": 7]), ("engines/model", engine)] as [(String, JSONValue)] {
                let first = try await api.call("PUT", "/api/v1/admin/" + path, token: token, body)
                let second = try await api.call("PUT", "/api/v1/admin/" + path, token: token, body)
                #expect(first.status == 200 && second.status == 200, "\(first.text)")
                // But for the moment of the change.
                for name in ["large_model", "base_url", "tokens", "money"] {
                    #expect(second["setting"]?[name] == first["setting"]?[name] && second[name] == first[name])
                }
            }
        }
    }

    @Test("Without an account a second call makes no second one, and ends a session once")
    func accounts() async throws {
        try await RESTFixture.with { api, _ in
            let account: JSONValue = [
                "email": "a@example.org", "password": .string(RESTFixture.password), "name": "Ada",
            ]
            let first = try await api.call("POST", "/api/v1/auth/register", account)
            #expect(first.status == 201)
            #expect(try await api.call("POST", "/api/v1/auth/register", account).status == 409)
            let session = try #require(first.string("refresh_token"))
            let ends = [
                try await api.call("POST", "/api/v1/auth/logout", ["refresh_token": .string(session)]).status,
                try await api.call("POST", "/api/v1/auth/logout", ["refresh_token": .string(session)]).status,
            ]
            #expect(ends == [204, 204])
        }
    }

    @Test("An unlocked job is not unlocked again while nobody works on it")
    func unlock() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let edit = try await api.call(
                "POST", "/api/v1/sites/bakery/edits", token: token, ["prompt": "Change the headline to \"Hi\""])
            let job = try #require(edit["job"]?["id"]?.text)
            let id = try #require(JobID(job))
            let host = try await EditingAPITests.worker(api)
            let offer = try #require(try await api.coordinator.ledger.grant(id, to: host, able: [.builtin]))
            _ = try await api.coordinator.ledger.accept(offer.lease, from: host)
            #expect(try await api.call("POST", "/api/v1/jobs/\(job)/unlock", token: token).status == 200)
            let second = try await api.call("POST", "/api/v1/jobs/\(job)/unlock", token: token)
            #expect(second.status == 409 && second.string("rule") == "job-state")
        }
    }
}

extension RESTFixture {
    /// Calls an operation twice with one key and expects that it has its effect once, and answers the same. Returns the
    /// answer, and which operation it was.
    func callTwice(
        _ method: String, _ path: String, token: String, key: String, bytes: [UInt8]? = nil
    ) async throws -> (answer: RESTAnswer, operation: String) {
        let headers = [("Idempotency-Key", key)]
        let first = try await call(method, path, token: token, headers: headers, bytes: bytes)
        let before = try await effects()
        let second = try await call(method, path, token: token, headers: headers, bytes: bytes)
        #expect((200...299).contains(first.status), "\(method) \(path): \(first.text)")
        #expect(second.status == first.status)
        #expect(second.body == first.body)
        #expect(second.headers.first(name: "content-type") == first.headers.first(name: "content-type"))
        #expect(second.headers.first(name: "idempotent-replayed") == "true", "\(method) \(path)")
        #expect(try await effects() == before, "\(method) \(path) did it twice")
        let plain = String(path.prefix { $0 != "?" })
        let route = table.routes.first { $0.method.rawValue == method && $0.match(plain) != nil }
        return (first, "\(method) \(try #require(route).path)")
    }

    func callTwice(
        _ method: String, _ path: String, token: String, key: String, _ json: JSONValue
    ) async throws -> (answer: RESTAnswer, operation: String) {
        try await callTwice(method, path, token: token, key: key, bytes: JSONWriter.bytes(of: json))
    }

    /// What was announced, and what is in the audit log.
    private func effects() async throws -> [Int64] {
        let admin = Principal(user: UserID(unchecked: "user_0000000000000000000000"), role: .admin)
        return [try await coordinator.events.latestID(), try await coordinator.audit.head(for: admin).number]
    }
}
