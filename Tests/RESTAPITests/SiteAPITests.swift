import Synchronization
import TestDatabases
import Testing

@testable import RESTAPI

@Suite struct SiteAPITests {
    /// The number of the last change that was answered.
    private final class Answered: Sendable {
        private let number = Atomic(0)
        var last: Int { number.load(ordering: .sequentiallyConsistent) }
        func note(_ change: Int) { number.store(change, ordering: .sequentiallyConsistent) }
    }

    @Test("A site is made, found by id and slug, renamed and deleted", arguments: TestDatabase.allCases)
    func lifeOfASite(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            let made = try await api.call(
                "POST", "/api/v1/sites", token: token, ["slug": "bakery", "name": "Bakery", "template": "plain"])
            #expect(made.status == 201)
            #expect(made["live_version"] == 1)
            #expect(made["maintenance"] == .null)
            #expect(made.string("url") == "http://bakery.localhost:8080/")
            #expect(made.string("preview_url") == "http://bakery--preview.localhost:8080/")
            let id = try #require(made.string("id"))
            for reference in [id, "bakery"] {
                let found = try await api.call("GET", "/api/v1/sites/\(reference)", token: token)
                #expect(found.json == made.json)
            }
            let renamed = try await api.call("PATCH", "/api/v1/sites/bakery", token: token, ["name": "Café ☕️"])
            #expect(renamed.string("name") == "Café ☕️")
            #expect(renamed["mode"] == "pages" && renamed["missing_page"] == "404.html")
            let head = try await api.call("HEAD", "/api/v1/sites/bakery", token: token)
            #expect(head.status == 200)
            #expect((head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0) > 100)
            let deleted = try await api.call("DELETE", "/api/v1/sites/bakery", token: token)
            #expect(deleted.status == 204)
            #expect(try await api.call("GET", "/api/v1/sites/\(id)", token: token).status == 404)
        }
    }

    @Test("Bad input is refused with the field and the rule, a taken slug with 409", arguments: TestDatabase.allCases)
    func refusals(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            for (body, status, field, rule) in [
                (["slug": "A b", "name": "x"], 400, "slug", "slug-format"),
                (["slug": "bakery", "name": "x"], 409, "slug", "slug-taken"),
                (["slug": "shop", "name": ""], 400, "name", "name-length"),
                (["slug": "shop", "name": "x", "template": "none"], 400, "template", "template-known"),
            ] as [(JSONValue, Int, String, String)] {
                let answer = try await api.call("POST", "/api/v1/sites", token: token, body)
                #expect(answer.status == status)
                #expect(answer.string("field") == field)
                #expect(answer.string("rule") == rule)
            }
        }
    }

    @Test(
        "How addresses lead to files is changed and kept; what no site can have is refused",
        arguments: TestDatabase.allCases)
    func addresses(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let changed = try await api.call(
                "PATCH", "/api/v1/sites/bakery", token: token,
                ["name": "Bread", "mode": "spa", "missing_page": "/errors/lost.html"])
            #expect(changed.status == 200)
            #expect(changed["mode"] == "spa" && changed["missing_page"] == "errors/lost.html")
            #expect(changed["name"] == "Bread")
            // What is not said stays.
            _ = try await api.call("PATCH", "/api/v1/sites/bakery", token: token, ["missing_page": ""])
            let found = try await api.call("GET", "/api/v1/sites/bakery", token: token)
            #expect(found["mode"] == "spa" && found["missing_page"] == "404.html" && found["name"] == "Bread")
            for (body, field) in [
                (["missing_page": "../secret.html"], "missing_page"), (["missing_page": "logo.png"], "missing_page"),
                (["missing_page": ".git/x.html"], "missing_page"), (["mode": "php"], "mode"), (["name": ""], "name"),
            ] as [(JSONValue, String)] {
                let refused = try await api.call("PATCH", "/api/v1/sites/bakery", token: token, body)
                #expect(refused.status == 400 && refused.string("field") == field)
            }
            #expect(try await api.call("PATCH", "/api/v1/sites/bakery", token: token, [:]).status == 400)
        }
    }

    @Test("What is not yours is not there, except for an admin", arguments: TestDatabase.allCases)
    func ownership(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let admin = try await api.register("admin@example.org")
            let ada = try await api.register("ada@example.org")
            let bob = try await api.register("bob@example.org")
            let id = try await api.makeSite("bakery", token: ada)
            for (method, path) in [
                ("GET", ""), ("DELETE", ""), ("GET", "/versions"), ("GET", "/versions/1/files/index.html"),
                ("GET", "/versions/1/archive"), ("GET", "/releases"), ("GET", "/edits"), ("GET", "/domains"),
            ] {
                let answer = try await api.call(method, "/api/v1/sites/\(id)\(path)", token: bob)
                #expect(answer.status == 404, "\(method) \(path)")
            }
            let list = try await api.call("GET", "/api/v1/sites", token: bob)
            #expect(list["items"] == [])
            #expect(try await api.call("GET", "/api/v1/sites/\(id)", token: admin).status == 200)
        }
    }

    @Test("A list is paged by cursors, and every item comes once", arguments: TestDatabase.allCases)
    func paging(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            var made: Set<String> = []
            for number in 0..<5 { made.insert(try await api.makeSite("site-\(number)", token: token)) }
            var seen: [String] = []
            var path = "/api/v1/sites?limit=2"
            while true {
                let page = try await api.call("GET", path, token: token)
                seen += page["items"]?.elements.compactMap { $0["id"]?.text } ?? []
                guard let cursor = page.string("next_cursor") else { break }
                path = "/api/v1/sites?limit=2&cursor=\(cursor)"
            }
            #expect(seen.count == 5)
            #expect(Set(seen) == made)
        }
    }

    @Test(
        "A page never shows what was there before it was asked for, however many ask for it",
        .timeLimit(.minutes(3)), arguments: TestDatabase.allCases)
    func freshPages(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let answered = Answered()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 1...60 {
                        let change = try await api.call(
                            "PATCH", "/api/v1/sites/bakery", token: token, ["name": .string("Name \(number)")])
                        #expect(change.status == 200)
                        answered.note(number)
                    }
                }
                for _ in 0..<8 {
                    group.addTask {
                        while true {
                            let before = answered.last
                            let page = try await api.call("GET", "/api/v1/sites?limit=20", token: token)
                            let name = page["items"]?.elements.first?["name"]?.text ?? ""
                            let shown = Int(name.split(separator: " ").last ?? "") ?? 0
                            #expect(page.status == 200 && shown >= before)
                            if before == 60 { return }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("A page shows each site as the site by itself is shown", arguments: TestDatabase.allCases)
    func pageItems(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            for slug in ["bakery", "shop"] { try await api.makeSite(slug, token: token) }
            let named = try await api.call(
                "PATCH", "/api/v1/sites/bakery", token: token, ["name": "Anna's \"best\"\t\u{1}bread\u{7f}, ☕️"])
            #expect(named.status == 200)
            _ = try await api.call(
                "POST", "/api/v1/sites/bakery/domains", token: token, ["domain": "www.example.org"])
            _ = try await api.call("PUT", "/api/v1/sites/shop/maintenance", token: token, [:])
            let page = try await api.call("GET", "/api/v1/sites", token: token)
            #expect(page["next_cursor"] == .null)
            let items = page["items"]?.elements ?? []
            #expect(items.count == 2)
            for item in items {
                let alone = try await api.call("GET", "/api/v1/sites/\(item["slug"]?.text ?? "")", token: token)
                #expect(item == alone.json)
            }
        }
    }

    @Test("Domains come and go, and no two sites have the same", arguments: TestDatabase.allCases)
    func domains(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            try await api.makeSite("other", token: token)
            let added = try await api.call(
                "POST", "/api/v1/sites/bakery/domains", token: token, ["domain": "WWW.Example.org"])
            #expect(added.status == 201)
            #expect(added.json == ["domain": "www.example.org", "url": "http://www.example.org:8080/"])
            let taken = try await api.call(
                "POST", "/api/v1/sites/other/domains", token: token, ["domain": "www.example.org"])
            #expect(taken.status == 409)
            let list = try await api.call("GET", "/api/v1/sites/bakery/domains", token: token)
            #expect(list["items"] == [added.json])
            let path = "/api/v1/sites/bakery/domains/www.example.org"
            #expect(try await api.call("DELETE", path, token: token).status == 204)
            #expect(try await api.call("DELETE", path, token: token).status == 404)
        }
    }

    @Test("Maintenance is switched on with or without a message, and off", arguments: TestDatabase.allCases)
    func maintenance(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let path = "/api/v1/sites/bakery/maintenance"
            let said = try await api.call("PUT", path, token: token, ["message": "Back at five"])
            #expect(said["maintenance"]?["message"]?.text == "Back at five")
            for body in ["", "{}", "{\"message\":null}"] {
                let silent = try await api.call("PUT", path, token: token, bytes: Array(body.utf8))
                #expect(silent.status == 200)
                #expect(silent["maintenance"]?["message"]?.text != nil)
            }
            let off = try await api.call("DELETE", path, token: token)
            #expect(off["maintenance"] == .null)
        }
    }

    @Test("The templates are listed", arguments: TestDatabase.allCases)
    func templates(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { api, _ in
            let token = try await api.register("a@example.org")
            let answer = try await api.call("GET", "/api/v1/templates", token: token)
            #expect(answer["items"] == [["name": "plain", "title": "Plain", "description": "One page."]])
        }
    }
}
