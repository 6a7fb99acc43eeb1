import Foundation
import TestSupport
import Testing

/// What people do with edits at a shell, with the real programs, a real sandbox and a real nginx.
@Suite(.serialized, .timeLimit(.minutes(10))) struct EditingCommandTests {
    private struct Desk {
        let system: TestSystem
        let client: APIClient

        /// Runs `pagewright`, which must say that all is well.
        func type(_ words: String...) async throws -> Tool.Ended {
            let ended = try await system.pagewright(words, as: client)
            try #require(ended.status == 0, "\(words): \(ended)")
            return ended
        }

        func preview() async throws -> Int? {
            try await client.send("GET", "/api/v1/sites/bakery", expecting: [200])["preview_version"] as? Int
        }

        func state(of job: String) async throws -> String? {
            try await client.send("GET", "/api/v1/jobs/\(job)", expecting: [200])["state"] as? String
        }

        func version(_ number: Int) async throws -> [String: Any] {
            try await client.send("GET", "/api/v1/sites/bakery/versions/\(number)", expecting: [200])
        }
    }

    private func withDesk(_ body: (Desk) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.makeSite("bakery", by: client)
            try await body(Desk(system: system, client: client))
        }
    }

    @Test("An edit is compared in four views, replayed to the same bytes, and undone without being lost")
    func compareReplayUndo() async throws {
        try await withDesk { desk in
            let made = try await desk.type(
                "edit", "bakery", "Change the headline to Rye bread on Fridays", "--json")
            let job = try #require((made.json["job"] as? [String: Any])?["id"] as? String, "\(made)")
            #expect((made.json["version"] as? [String: Any])?["number"] as? Int == 2)

            #expect(try await desk.type("diff", "bakery", "1", "2").output.contains("1 modified"))
            let lines = try await desk.type("diff", "bakery", "1", "2", "--view", "text").output
            #expect(lines.contains("{+") && lines.contains("[-") && lines.contains("index.html"), "\(lines)")
            let outline = try await desk.type("diff", "bakery", "1", "2", "--view", "outline").output
            #expect(outline.contains("Rye bread on Fridays") && !outline.contains("<h1"), "\(outline)")
            let delta = try await desk.type("diff", "bakery", "1", "2", "--view", "findings").output
            #expect(delta.contains("Weight") && delta.contains("New       0 findings"), "\(delta)")

            let replay = try await desk.type("replay", job)
            #expect(replay.output.contains("came to version 2 again, byte for byte"), "\(replay)")
            #expect(try await desk.client.send("GET", "/api/v1/sites/bakery/versions", expecting: [200]).items == 2)

            let undone = try await desk.type("undo", "bakery")
            #expect(undone.output.contains("version 1 again"), "\(undone)")
            #expect(try await desk.preview() == 1)
            _ = try await desk.type("preview", "bakery", "2")
            #expect(try await desk.preview() == 2, "what was undone is still there")
        }
    }

    @Test("A plan changes nothing until it is told to be done; tries are siblings, and one of them is picked")
    func plansAndTries() async throws {
        try await withDesk { desk in
            let plan = try await desk.type(
                "edit", "bakery", "--plan", "Change the headline to Warm rolls at six", "--json")
            #expect(plan.json["state"] as? String == "answered", "\(plan)")
            #expect(plan.json["planned_files"] as? [String] == ["index.html"])
            #expect(try await desk.preview() == 1)
            let done = try await desk.type("edit", "bakery", "do it", "--json")
            #expect((done.json["version"] as? [String: Any])?["number"] as? Int == 2, "\(done)")
            #expect(try await desk.preview() == 2)

            let tries = try await desk.type(
                "edit", "bakery", "--variants", "3", "Change the accent colour to teal", "--json")
            let variants = try #require(tries.json["variants"] as? [[String: Any]], "\(tries)")
            let numbers = variants.compactMap { $0["version"] as? Int }
            #expect(Set(numbers) == [3, 4, 5], "\(tries)")
            for number in numbers { #expect(try await desk.version(number)["parent"] as? Int == 2) }
            #expect(try await desk.preview() == 2, "the preview shows none of them until one is picked")
            let chosen = try #require(variants.last)
            _ = try await desk.type("pick", "bakery", try #require(chosen["edit_id"] as? String))
            #expect(try await desk.preview() == chosen["version"] as? Int)
        }
    }

    /// In the place of the Codex CLI: it changes the home page and does not come to an end.
    private static let endlessEditor = """
        #!/bin/sh
        cat > /dev/null
        echo '{"type":"thread.started","thread_id":"t"}'
        echo '{"type":"turn.started"}'
        sed -i 's/<h1[^>]*>/<h1>Half an edit /' index.html
        trap '' TERM
        sleep 43219

        """

    @Test(
        "An edit that runs is stopped and leaves nothing, the next one in line goes on, and it can be asked for again")
    func stopAndRetry() async throws {
        try await withDesk { desk in
            let (system, folder) = (desk.system, desk.system.folder)
            let editor = folder + "/codex"
            try Self.endlessEditor.write(toFile: editor, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: editor)
            try FileManager.default.createDirectory(atPath: folder + "/model", withIntermediateDirectories: true)
            system.agent?.stop()
            try system.startAgent(options: [
                "--codex", editor, "--model-socket", folder + "/model/model.sock", "--model", "gpt-5.4",
            ])
            let first = try #require(
                try await desk.type("edit", "bakery", "Never end", "--engine", "codex", "--no-wait", "--json")
                    .json["job"] as? [String: Any])
            let job = try #require(first["id"] as? String)
            try await system.until("the edit to run") { Self.isRunning("43219", below: folder) }
            let second = try #require(
                try await desk.type(
                    "edit", "bakery", "Change the headline to Next in line", "--engine", "builtin", "--no-wait",
                    "--json"
                ).json["job"] as? [String: Any])
            let waiting = try #require(second["id"] as? String)
            #expect(try await desk.type("why", waiting).output.contains("It waits"))

            _ = try await desk.type("cancel", job)
            try await system.until("the edit to be stopped") { try await desk.state(of: job) == "cancelled" }
            #expect(!Self.isRunning("43219", below: folder), "confirmed only when nothing of it runs")
            _ = try await desk.type("job", waiting, "--follow")
            try await system.until("the preview to show it") {
                await system.visit("bakery--preview.localhost")?.body.contains("Next in line") == true
            }
            #expect(await system.visit("bakery--preview.localhost")?.body.contains("Half an edit") == false)

            let again = try await desk.type("retry", job, "--json").json
            let retried = try #require(again["id"] as? String, "\(again)")
            #expect(retried != job && again["prompt"] as? String == "Never end")
            _ = try await desk.type("cancel", retried)
            try await system.until("the retried edit to be stopped") {
                try await desk.state(of: retried) == "cancelled"
            }
        }
    }

    /// Whether a `sleep` of so many seconds runs in a sandbox that sees something below `folder`.
    private static func isRunning(_ seconds: String, below folder: String) -> Bool {
        let wanted = Data("sleep\u{0}\(seconds)\u{0}".utf8)
        return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { Int($0) != nil }
            .contains { process in
                guard let command = FileHandle(forReadingAtPath: "/proc/\(process)/cmdline"),
                    let bytes = try? command.readToEnd(), bytes == wanted,
                    let mounts = FileHandle(forReadingAtPath: "/proc/\(process)/mountinfo"),
                    let text = try? mounts.readToEnd()
                else { return false }
                return String(decoding: text, as: UTF8.self).contains((folder as NSString).lastPathComponent)
            }
    }
}

extension [String: Any] {
    /// How many things a list has.
    fileprivate var items: Int { (self["items"] as? [Any])?.count ?? -1 }
}
