import Foundation
import TestDatabases
import Testing

@testable import RESTAPI

@Suite struct VersionAPITests {
    private let files = [
        "index.html": RESTFixture.page.replacingOccurrences(of: "Hello", with: "Hello again"),
        "a b/ü&.txt": "text", "evil.svg": "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
    ]

    @Test(
        "An uploaded archive becomes a version and the preview, and nothing of it stays behind",
        arguments: TestDatabase.allCases)
    func upload(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { [files] api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let made = try await api.call(
                "POST", "/api/v1/sites/bakery/versions", token: token, bytes: try api.archive(files))
            #expect(made.status == 201, "\(made.text)")
            #expect(made["number"] == 2)
            #expect(made["parent"] == 1)
            #expect(made["is_preview"] == true)
            #expect(made["is_live"] == false)
            #expect(made["origin"] == ["kind": "upload"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: api.uploadFolder) == [])
            let live = try await api.call(
                "POST", "/api/v1/sites/bakery/versions?promote=true", token: token, bytes: try api.archive(files))
            #expect(live["is_live"] == true)
            let list = try await api.call("GET", "/api/v1/sites/bakery/versions", token: token)
            #expect(list["items"]?.elements.compactMap { $0["number"]?.integer } == [3, 2, 1])
            #expect(try await api.call("GET", "/api/v1/sites/bakery/versions/9", token: token).status == 404)
            #expect(try await api.call("GET", "/api/v1/sites/bakery/versions/x", token: token).status == 400)
        }
    }

    @Test(
        "What is no archive, or too large, or for somebody else's site, is refused and leaves nothing behind",
        arguments: TestDatabase.allCases)
    func refusedUploads(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database, { $0.uploadLimitInBytes = 100_000 }) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let path = "/api/v1/sites/bakery/versions"
            let nonsense = try await api.call("POST", path, token: token, bytes: Array("nonsense".utf8))
            #expect(nonsense.status == 422)
            #expect(nonsense.string("rule") == "archive-format")
            let large = [UInt8](repeating: 1, count: 100_001)
            let said = try await api.call("POST", path, token: token, bytes: large)
            #expect(said.status == 413)
            let unsaid = try await api.open("POST", path, token: token, body: .bytes(large, length: .unknown))
            #expect(unsaid.status == .payloadTooLarge)
            _ = try await unsaid.body.collect(upTo: 1 << 20)
            let other = try await api.register("b@example.org")
            #expect(try await api.call("POST", path, token: other, bytes: large).status == 404)
            #expect(try FileManager.default.contentsOfDirectory(atPath: api.uploadFolder) == [])
            let list = try await api.call("GET", path, token: token)
            #expect(list["items"]?.elements.count == 1)
        }
    }

    @Test(
        "The files of a version are listed, and come as downloads that no browser runs",
        arguments: TestDatabase.allCases)
    func download(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { [files] api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            _ = try await api.call(
                "POST", "/api/v1/sites/bakery/versions", token: token, bytes: try api.archive(files))
            let version = "/api/v1/sites/bakery/versions/2"
            let manifest = try await api.call("GET", version + "/manifest", token: token)
            #expect(manifest["files"]?.elements.compactMap { $0["path"]?.text } == files.keys.sorted())
            let page = try await api.call("GET", version + "/files/index.html", token: token)
            #expect(page.text == files["index.html"])
            #expect(page.headers.first(name: "content-type") == "text/html; charset=utf-8")
            #expect(page.headers.first(name: "content-security-policy")?.hasPrefix("sandbox") == true)
            #expect(page.headers.first(name: "content-disposition")?.hasPrefix("attachment;") == true)
            #expect(page.headers.first(name: "content-length") == String(page.body.count))
            let image = try await api.call("GET", version + "/files/evil.svg", token: token)
            #expect(image.headers.first(name: "content-security-policy")?.hasPrefix("sandbox") == true)
            let odd = try await api.call("GET", version + "/files/a%20b/%C3%BC%26.txt", token: token)
            #expect(odd.text == "text")
            let tag = try #require(page.headers.first(name: "etag"))
            let same = try await api.call(
                "GET", version + "/files/index.html", token: token, headers: [("If-None-Match", tag)])
            #expect(same.status == 304)
            let head = try await api.call("HEAD", version + "/files/index.html", token: token)
            #expect(head.headers.first(name: "content-length") == String(page.body.count))
            for path in ["none.html", "..%2f..%2fetc%2fpasswd", "%00", "a%20b"] {
                let missing = try await api.call("GET", version + "/files/" + path, token: token)
                #expect(missing.status == 404, "\(path)")
            }
        }
    }

    @Test(
        "A version comes as an archive whose bytes are always the same, and goes in again",
        arguments: TestDatabase.allCases)
    func archive(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { [files] api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let path = "/api/v1/sites/bakery/versions"
            _ = try await api.call("POST", path, token: token, bytes: try api.archive(files))
            let first = try await api.call("GET", path + "/2/archive", token: token)
            let second = try await api.call("GET", path + "/2/archive", token: token)
            #expect(first.body == second.body)
            #expect(first.headers.first(name: "content-disposition") == "attachment; filename=\"bakery-v2.tar.gz\"")
            #expect(first.headers.first(name: "content-type") == "application/gzip")
            let again = try await api.call("POST", path, token: token, bytes: first.body)
            let original = try await api.call("GET", path + "/2", token: token)
            #expect(again.string("digest") == original.string("digest"))
            #expect(try await api.call("GET", path + "/9/archive", token: token).status == 404)
        }
    }

    @Test("Two versions are compared file by file", arguments: TestDatabase.allCases)
    func diff(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { [files] api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let path = "/api/v1/sites/bakery/versions"
            _ = try await api.call("POST", path, token: token, bytes: try api.archive(files))
            let diff = try await api.call("GET", path + "/1/diff/2", token: token)
            #expect(diff["from"] == 1)
            let changes = diff["files"]?.elements.compactMap { file -> String? in
                guard let path = file["path"]?.text, let change = file["change"]?.text else { return nil }
                return "\(change) \(path)"
            }
            #expect(changes == ["added a b/ü&.txt", "added evil.svg", "modified index.html"])
            #expect(diff["files"]?.elements.first?["before"] == .null)
        }
    }

    @Test("A version is promoted, rolled back, and shown as the preview", arguments: TestDatabase.allCases)
    func releases(on database: TestDatabase) async throws {
        try await RESTFixture.with(on: database) { [files] api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let site = "/api/v1/sites/bakery"
            _ = try await api.call("POST", site + "/versions", token: token, bytes: try api.archive(files))
            let early = try await api.call("POST", site + "/rollback", token: token, [:])
            #expect(early.status == 409)
            let promoted = try await api.call("POST", site + "/promote", token: token, ["version": 2])
            #expect(promoted.status == 201)
            #expect(promoted["replaced"] == 1)
            #expect(try await api.call("POST", site + "/promote", token: token, ["version": 2]).status == 409)
            #expect(try await api.call("POST", site + "/promote", token: token, ["version": 7]).status == 404)
            let back = try await api.call("POST", site + "/rollback", token: token, bytes: [])
            #expect(back["version"] == 1)
            let preview = try await api.call("PUT", site + "/preview", token: token, ["version": 1])
            #expect(preview["preview_version"] == 1)
            let list = try await api.call("GET", site + "/releases?limit=2", token: token)
            #expect(list["items"]?.elements.compactMap { $0["number"]?.integer } == [3, 2])
        }
    }
}
