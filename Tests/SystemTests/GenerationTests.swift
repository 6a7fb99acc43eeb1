import Foundation
import TestSupport
import Testing

/// Sites from briefs, with the real programs, a real sandbox and a real nginx.
@Suite(.serialized, .timeLimit(.minutes(10))) struct GenerationTests {
    private func withSystem(_ body: (TestSystem, APIClient) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            try await body(system, try await system.begin())
        }
    }

    private static let brief: [String: any Sendable] = [
        "business_name": "Morrow & Daughter", "type": "bakery",
        "description": "A bakery by the harbour. We bake sourdough, croissants and rye bread. Come early.",
        "goals": ["People come by"],
    ]

    private func state(_ site: String, _ client: APIClient) async throws -> [String: Any] {
        try await client.send("GET", "/api/v1/sites/\(site)/generation", expecting: [200])
    }

    @Test("A brief becomes five pages in the preview, with every step stored; live only when promoted")
    func fivePages() async throws {
        try await withSystem { system, client in
            let made = try await client.send("POST", "/api/v1/sites/generate", Self.brief, expecting: [202])
            let site = try #require((made["site"] as? [String: Any])?["slug"] as? String)
            #expect(site == "morrow-daughter")
            var last = 0
            try await system.until("the site to be made") {
                let generation = try await state(site, client)
                let progress = generation["progress"] as? Int ?? 0
                #expect(progress >= last)
                last = progress
                #expect(generation["state"] as? String != "failed", "\(generation)")
                return generation["state"] as? String == "done"
            }
            let generation = try await state(site, client)
            #expect(generation["progress"] as? Int == 100)
            #expect((generation["plan"] as? [Any])?.count == 5)
            let steps = (generation["steps"] as? [[String: Any]] ?? []).compactMap { $0["step"] as? String }
            #expect(steps.filter { $0 == "copy" }.count == 5)
            #expect(Set(steps) == ["plan", "copy", "design", "build", "checks"])
            let version = try await client.send("GET", "/api/v1/sites/\(site)/versions/2", expecting: [200])
            #expect((version["findings"] as? [Any])?.isEmpty == true, "\(version)")
            try await system.until("the preview to show it") {
                await system.visit("\(site)--preview.localhost")?.body.contains("<h1>A bakery by the harbour</h1>")
                    == true
            }
            #expect(await system.visit("\(site).localhost")?.body.contains("harbour") != true)
            try await client.send("POST", "/api/v1/sites/\(site)/promote", ["version": 2], expecting: [200, 201])
            try await system.until("visitors to see it") {
                await system.visit("\(site).localhost")?.body.contains("<h1>A bakery by the harbour</h1>") == true
            }
            // It is a site like any other now.
            let edit = try await system.pagewright(
                ["edit", site, "Change the accent colour to teal", "--json"], as: client)
            #expect(edit.status == 0, "\(edit)")
        }
    }

    @Test("At the command line: a plan to look at, another one instead, then the site")
    func planFirst() async throws {
        try await withSystem { system, client in
            let planned = try await system.pagewright(
                [
                    "generate", "--name", "Stadtlauf", "--type", "Stadtlauf", "--description",
                    "Wir laufen durch die Stadt und sammeln für den Wald.", "--goal", "Mitlaufen", "--slug", "lauf",
                    "--plan-only",
                ], as: client)
            #expect(planned.status == 0 && planned.output.contains("waiting for plan"), "\(planned)")
            #expect(planned.output.contains("/programm.html"), "\(planned)")
            let file = system.folder + "/plan.json"
            try Data(#"{"pages":[{"title":"Start"},{"title":"Strecke","purpose":"Der Weg durch die Stadt."}]}"#.utf8)
                .write(to: URL(filePath: file))
            let made = try await system.pagewright(
                ["generate", "continue", "lauf", "--plan", file, "--json"], as: client)
            #expect(made.status == 0, "\(made)")
            #expect((made.json["job"] as? [String: Any])?["state"] as? String == "succeeded")
            try await system.until("the preview to show it") {
                await system.visit("lauf--preview.localhost")?.body.contains("strecke.html") == true
            }
            let shown = try await system.pagewright(["generate", "show", "lauf"], as: client)
            #expect(shown.output.contains("done, 100 %"), "\(shown)")
        }
    }
}
