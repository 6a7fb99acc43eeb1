import Domain
import Foundation
import Testing

@testable import Coordinator
@testable import RESTAPI

@Suite struct AuditAPITests {
    @Test("An admin reads the log page by page, filtered, with the id of the request that did it")
    func list() async throws {
        try await RESTFixture.with { api, _ in
            let admin = try await api.register("ada@example.org")
            let created = try await api.call(
                "POST", "/api/v1/sites", token: admin, headers: [("X-Request-ID", "my-request")],
                ["slug": "shop", "name": "Shop"])
            let site = try #require(created.string("id"))
            let all = try await api.call("GET", "/api/v1/audit", token: admin)
            #expect(all["items"]?.elements.map { $0["action"]?.text } == ["site.created", "account.registered"])
            let first = try #require(all["items"]?.elements.first)
            #expect(first["request_id"]?.text == "my-request")
            #expect(first["site_id"]?.text == site)
            #expect(first["number"]?.integer == 2)
            let page = try await api.call("GET", "/api/v1/audit?order=oldest&limit=1", token: admin)
            let cursor = try #require(page.string("next_cursor"))
            let next = try await api.call("GET", "/api/v1/audit?order=oldest&limit=1&cursor=\(cursor)", token: admin)
            #expect(next["items"]?.elements.map { $0["number"]?.integer } == [2])
            let some = try await api.call("GET", "/api/v1/audit?site=\(site)&action=site.created", token: admin)
            #expect(some["items"]?.elements.count == 1)
            let head = try await api.call("GET", "/api/v1/audit/head", token: admin)
            #expect(head.string("hash") == first["hash"]?.text)
            #expect(try await api.call("GET", "/api/v1/audit?order=random", token: admin).status == 400)
        }
    }

    @Test("Nobody but an admin reads the log, the recovery or the brakes")
    func access() async throws {
        try await RESTFixture.with { api, _ in
            _ = try await api.register("ada@example.org")
            let user = try await api.register("eve@example.org")
            for path in ["audit", "audit/head", "recovery", "brakes"] {
                #expect(try await api.call("GET", "/api/v1/\(path)", token: user).status == 403)
            }
            for path in ["recovery/accept", "brakes/lease-expiry/release"] {
                #expect(try await api.call("POST", "/api/v1/\(path)", token: user).status == 403)
            }
        }
    }

    @Test("In recovery questions are answered and changes are refused, until an admin accepts")
    func recovery() async throws {
        try await RESTFixture.with { api, _ in
            let admin = try await api.register("ada@example.org")
            let site = try await api.makeSite("shop", token: admin)
            try await api.coordinator.recovery.examine()
            try await api.coordinator.recovery.enter(because: "A test says so.")
            #expect(try await api.call("GET", "/api/v1/sites/\(site)", token: admin).status == 200)
            let refused = try await api.call(
                "POST", "/api/v1/sites/\(site)/edits", token: admin, ["prompt": "Change it"])
            #expect(refused.status == 503)
            #expect(refused.string("rule") == "recovery")
            let view = try await api.call("GET", "/api/v1/recovery", token: admin)
            #expect(view["active"] == true)
            #expect(view.string("reason") == "A test says so.")
            let accepted = try await api.call("POST", "/api/v1/recovery/accept", token: admin)
            #expect(accepted["active"] == false)
            #expect(accepted["incarnation"]?.integer == 1)
            #expect(try await api.call("POST", "/api/v1/recovery/accept", token: admin).status == 409)
            let edit = try await api.call(
                "POST", "/api/v1/sites/\(site)/edits", token: admin, ["prompt": "Change it"])
            #expect(edit.status == 202)
            let job = try #require(edit["job"])
            #expect(job["wait"]?["reason"]?.text == "no-worker")
            #expect(job["wait"]?["position"]?.integer == 1)
            let id = try #require(job["id"]?.text)
            #expect(try await api.call("POST", "/api/v1/jobs/\(id)/unlock", token: admin).status == 409)
            #expect(try await api.call("POST", "/api/v1/brakes/lease-expiry/release", token: admin).status == 404)
        }
    }
}
