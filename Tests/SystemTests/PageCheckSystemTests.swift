import Foundation
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The programs, with Debian's Chromium: an edit, and what a browser saw of it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct PageCheckSystemTests {
    private static let chromium = "/usr/lib/chromium/chromium"

    /// An answer as it is.
    private static func get(_ path: String, by client: APIClient) async throws -> (HTTPURLResponse, Data) {
        var request = URLRequest(url: URL(string: client.base + path)!, timeoutInterval: 30)
        request.setValue("Bearer \(client.token ?? "")", forHTTPHeaderField: "Authorization")
        let (data, response) = try await URLSession.shared.data(for: request)
        return (try #require(response as? HTTPURLResponse), data)
    }

    private static func edit(_ system: TestSystem, by client: APIClient) async throws {
        try await client.send(
            "POST", "/api/v1/sites/bakery/edits",
            ["prompt": "Change the headline to Fresh bread every morning", "engine": "builtin"], expecting: [202])
        try await system.until("the version to be there") {
            (try? await client.once.send("GET", "/api/v1/sites/bakery/versions/2", expecting: [200])) != nil
        }
    }

    @Test("An edit's pages are looked at after it: its owner gets pictures and changed places, others nothing")
    func screenshots() async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.makeSite("bakery", by: client)
            system.agent?.stop()
            try system.startAgent(options: ["--browser", Self.chromium])
            try await Self.edit(system, by: client)
            var checks: [String: Any] = [:]
            try await system.until("the browser to be done") {
                checks =
                    try await client.once.send("GET", "/api/v1/sites/bakery/versions/2/checks", expecting: [200])
                return checks["state"] as? String == "done"
            }
            let obstacles = (checks["checks"] as? [[String: Any]] ?? []).map { $0["obstacle"] as? String }
            #expect(obstacles == Array(repeating: "", count: 6), "\(checks)")
            let screenshots = try #require(checks["screenshots"] as? [[String: Any]])
            let home = screenshots.filter { $0["page"] as? String == "index.html" && $0["kind"] as? String == "page" }
            #expect(home.compactMap { $0["width"] as? Int } == [375, 1280])
            for shot in home { #expect((shot["changes"] as? [Any])?.isEmpty == false, "\(shot)") }
            #expect(screenshots.contains { $0["kind"] as? String == "thumbnail" })

            let url = try #require(home.first?["url"] as? String)
            let (answer, bytes) = try await Self.get(url, by: client)
            #expect(answer.statusCode == 200 && bytes.count == home.first?["size_bytes"] as? Int)
            #expect(answer.value(forHTTPHeaderField: "Content-Type") == home.first?["media_type"] as? String)
            #expect(answer.value(forHTTPHeaderField: "Cache-Control")?.contains("immutable") == true)
            var eve = APIClient(base: system.api)
            let session = try await eve.send(
                "POST", "/api/v1/auth/register",
                ["email": "eve@example.org", "password": "correct horse battery", "name": "Eve"], expecting: [201])
            eve.token = session["access_token"] as? String
            #expect(try await Self.get(url, by: eve).0.statusCode == 404)
            let digest = try #require(home.first?["sha256"] as? String)
            let bySlug = "/api/v1/sites/bakery/versions/2/"
            #expect(try await Self.get(bySlug + "screenshots/" + digest, by: eve).0.statusCode == 404)
            #expect(try await Self.get(bySlug + "checks", by: eve).0.statusCode == 404)
            #expect(try await Self.get(bySlug + "checks", by: APIClient(base: system.api)).0.statusCode == 401)

            let pictures = folder + "/pictures"
            let told = try await system.pagewright(["checks", "bakery", "2", "--wait", "--save", pictures], as: client)
            #expect(told.status == 0 && told.output.contains("Checked: console, requests"), "\(told)")
            let saved = try FileManager.default.contentsOfDirectory(atPath: pictures)
            #expect(saved.count == screenshots.count && saved.contains("index.html-375.png"), "\(saved)")
        }
    }

    @Test("The command waits for the browser before it promotes, and does not when it is told so")
    func promotion() async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.makeSite("bakery", by: client)
            system.agent?.stop()
            try system.startAgent(options: ["--browser", Self.chromium])
            let agent = try #require(system.agent?.process.processIdentifier)
            try await Self.edit(system, by: client)
            // What the browser sees cannot arrive before the command waits for it.
            kill(agent, SIGSTOP)
            defer { kill(agent, SIGCONT) }
            let refused = try await client.send(
                "POST", "/api/v1/sites/bakery/promote", ["version": 2], expecting: [409])
            #expect(refused["rule"] as? String == "checks-running", "\(refused)")
            let command = try Tool(
                "pagewright", ["promote", "bakery"], environment: system.environment(of: client), in: folder)
            defer { command.stop() }
            let sentence = "waiting for the browser that looks at version 2"
            try await system.until("the command to wait") { command.errors.contains(sentence) }
            let path = "/api/v1/sites/bakery"
            #expect(try await client.send("GET", path, expecting: [200])["live_version"] as? Int == 1)
            kill(agent, SIGCONT)
            let ended = try await command.wait(atMost: .seconds(240))
            #expect(ended.status == 0 && ended.output.contains("Version 2 is live on 1 of 1 host"), "\(ended)")
            #expect(ended.errors.split(separator: "\n").count { $0.contains(sentence) } == 1, "\(ended.errors)")
            let seen = try await client.send("GET", path + "/versions/2/checks", expecting: [200])
            #expect(seen["state"] as? String == "done")

            try await client.send(
                "POST", path + "/edits",
                ["prompt": "Change the headline to Cake every afternoon", "engine": "builtin"], expecting: [202])
            try await system.until("the next version to be there") {
                (try? await client.once.send("GET", path + "/versions/3", expecting: [200])) != nil
            }
            kill(agent, SIGSTOP)
            let told = try await system.pagewright(
                ["promote", "bakery", "3", "--unchecked", "--no-wait", "--json"], as: client)
            #expect(told.status == 0 && told.json["version"] as? Int == 3 && told.errors.isEmpty, "\(told)")
            let looked = try await client.send("GET", path + "/versions/3/checks", expecting: [200])
            #expect(looked["state"] as? String == "waiting")
        }
    }

    @Test("Without a browser an edit succeeds, and its version says why nobody looked")
    func withoutBrowser() async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.makeSite("bakery", by: client)
            try await Self.edit(system, by: client)
            let checks = try await client.send("GET", "/api/v1/sites/bakery/versions/2/checks", expecting: [200])
            #expect(checks["state"] as? String == "done")
            let reasons = (checks["checks"] as? [[String: Any]] ?? []).compactMap { $0["obstacle"] as? String }
            #expect(reasons.count == 6 && reasons.allSatisfy { $0.contains("--browser off") }, "\(checks)")
            let told = try await system.pagewright(["checks", "bakery", "1"], as: client)
            #expect(told.status == 0 && told.output.contains("No browser looked at this version"))
        }
    }
}
