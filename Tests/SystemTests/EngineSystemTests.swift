import Foundation
import TestSupport
import Testing

/// The real command-line tools in the real system: coordinator, agent, shim, sandbox and broker, with a scripted model
/// behind it that answers only to the real key.
@Suite(.serialized) struct EngineSystemTests {
    private static let key = "sk-end-to-end-0123456789abcdef"
    private static let page =
        #"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Thank you</title><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="description" content="Thank you for your order."></head><body><main><h1>Thank you</h1><p>We bake it tonight.</p></main></body></html>"#

    private struct Room {
        let system: TestSystem
        let client: APIClient
        let model: ScriptedModel
        let tool: CommandLineTool

        func edit(_ prompt: String, steps: [String]) async throws -> [String: Any] {
            try await model.play(steps, key: EngineSystemTests.key)
            let accepted = try await client.send(
                "POST", "/api/v1/sites/bakery/edits", ["prompt": prompt, "engine": tool.rawValue], expecting: [202])
            let job = try #require((accepted["job"] as? [String: Any])?["id"] as? String)
            return try await ended(job)
        }

        func ended(_ job: String) async throws -> [String: Any] {
            var found: [String: Any] = [:]
            try await system.until("\(tool) to end") {
                found = try await client.send("GET", "/api/v1/jobs/\(job)", expecting: [200])
                return ["succeeded", "failed", "dead", "cancelled"].contains(found["state"] as? String)
            }
            return found
        }
    }

    private func withRoom(_ tool: CommandLineTool, _ body: (Room) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let program = try tool.locate()
            let model = try await ScriptedModel(key: Self.key, in: folder)
            defer { model.stop() }
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.makeSite("bakery", by: client)
            try await client.send(
                "PUT", "/api/v1/admin/engines/\(tool.rawValue)",
                [
                    "provider": tool.provider, "base_url": "http://\(model.address)/v1", "large_model": tool.model,
                    "key": Self.key,
                ], expecting: [200])
            system.agent?.stop()
            try system.startAgent(options: ["--\(tool.rawValue)", program, "--local-model", model.address])
            try await body(Room(system: system, client: client, model: model, tool: tool))
            // Wherever the agent and its shims write, the key was never there.
            system.agent?.stop()
            let grep = Process()
            grep.executableURL = URL(filePath: "/usr/bin/grep")
            grep.arguments = ["-rlsF", Self.key, folder + "/a", folder + "/agent.log", folder + "/coordinator.log"]
            let output = Pipe()
            grep.standardOutput = output
            try grep.run()
            let found = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            grep.waitUntilExit()
            #expect(found.isEmpty, "the key is in \(found)")
        }
    }

    @Test(
        "A job with the real tool becomes a version, is replayed without a model, and stops at its budget",
        arguments: CommandLineTool.allCases)
    func job(tool: CommandLineTool) async throws {
        try await withRoom(tool) { room in
            let job = try await room.edit(
                "Add a page thanks.html that says thank you", steps: tool.addingPage(Self.page))
            #expect(job["state"] as? String == "succeeded", "\(job)")
            #expect(job["version"] as? Int == 2)
            #expect(job["summary"] as? String == "Added a page that says thank you.")
            let usage = try #require(job["usage"] as? [String: Any])
            #expect(usage["uncached_input_tokens"] as? Int == 1800 && usage["output_tokens"] as? Int == 200)
            let asked = room.model.requests
            #expect(asked.count == 2, "a model that answers only to the real key was asked twice")

            // Once more, and nobody is asked.
            let id = try #require(job["id"] as? String)
            let replay = try await room.client.send("POST", "/api/v1/jobs/\(id)/replay", expecting: [200, 201, 202])
            let replayID = try #require((replay["id"] ?? (replay["job"] as? [String: Any])?["id"]) as? String)
            let replayed = try await room.ended(replayID)
            #expect(replayed["state"] as? String == "succeeded", "\(replayed)")
            #expect(replayed["from_cache"] as? Bool == true)
            #expect(room.model.requests.count == asked.count)

            // Each answer costs 1,000 tokens: the third is not had any more.
            try await room.client.send("PUT", "/api/v1/admin/budgets/edit", ["tokens": 1500], expecting: [200])
            let spent = try await room.edit(
                "Look at the home page for ever", steps: Array(repeating: tool.looking, count: 20))
            #expect(spent["state"] as? String == "failed", "\(spent)")
            let failure = try #require(spent["failure"] as? [String: Any])
            #expect(failure["code"] as? String == "model-budget")
            #expect((failure["message"] as? String)?.contains("used all the tokens") == true)
            #expect(room.model.requests.count == asked.count + 2)
            let used = try #require(spent["usage"] as? [String: Any])
            #expect(used["uncached_input_tokens"] as? Int == 1800 && used["output_tokens"] as? Int == 200)
        }
    }

    @Test("What a command did that depends on the moment is taken from the record in a replay, and said")
    func moment() async throws {
        try await withRoom(.codex) { room in
            let tool = room.tool
            let stamp = #"date +%N > now.txt; echo "$RANDOM $$" >> now.txt"#
            let change = "sed -i 's/$/ and later/' now.txt; cp now.txt copy.txt"
            let job = try await room.edit(
                "Add a page thanks.html, and say when",
                steps: [
                    tool.call("exec_command", #"{"cmd": \#(CommandLineTool.quoted(stamp))}"#),
                    tool.addingPage(Self.page)[0],
                    tool.call("exec_command", #"{"cmd": \#(CommandLineTool.quoted(change))}"#),
                    tool.say("It says when."),
                ])
            #expect(job["state"] as? String == "succeeded" && job["version"] as? Int == 2, "\(job)")
            let asked = room.model.requests.count
            let id = try #require(job["id"] as? String)
            let told = try await room.system.pagewright(["replay", id], as: room.client)
            #expect(told.status == 0 && told.output.contains("version 2 again, byte for byte"), "\(told)")
            // The page was made again; of the commands the first one came to something else, and the second one to the
            // same, because it began from the recorded file.
            #expect(
                told.output.contains("2 steps that changed files came to the same as then. Taken from the record"),
                "\(told)")
            #expect(told.output.contains("step 1 (now.txt)."), "\(told)")
            #expect(room.model.requests.count == asked)
        }
    }

    @Test("A model that declines is a failure in its own words, although Codex says nothing of it")
    func refusal() async throws {
        try await withRoom(.codex) { room in
            let words = "I'm sorry, but I can't help with that."
            let usage = #"{"input": 900, "output": 100}"#
            let declined = #"{"reply": {"refusal": \#(CommandLineTool.quoted(words)), "usage": \#(usage)}}"#
            for steps in [[declined], [room.tool.addingPage(Self.page)[0], declined]] {
                let job = try await room.edit("Write something bad", steps: steps)
                #expect(job["state"] as? String == "failed", "\(job)")
                let failure = try #require(job["failure"] as? [String: Any])
                #expect(failure["code"] as? String == "model-refused")
                #expect(failure["message"] as? String == "The AI model declined this request. It says: \(words)")
                // Saying it once more would not help: there was one attempt.
                #expect(job["attempt"] as? Int == 1, "\(job)")
            }
        }
    }

    @Test("A second edit, of a file that was read in the first one, is replayed without what the program remembers")
    func conversation() async throws {
        try await withRoom(.claude) { room in
            let tool = room.tool
            let first = try await room.edit("Add a page thanks.html", steps: tool.addingPage(Self.page))
            #expect(first["version"] as? Int == 2, "\(first)")
            let input = #"{"file_path": "/site/thanks.html", "old_string": "tonight", "new_string": "at six"}"#
            let second = try await room.edit(
                "Say when", steps: [tool.call("Edit", input), tool.say("It says six now.")])
            #expect(second["version"] as? Int == 3, "\(second)")
            #expect(room.model.requests.last?.contains("Added a page that says thank you.") == true, "it went on")
            let asked = room.model.requests.count
            let id = try #require(second["id"] as? String)
            let replay = try await room.client.send("POST", "/api/v1/jobs/\(id)/replay", expecting: [200, 201, 202])
            let replayed = try await room.ended(
                try #require((replay["id"] ?? (replay["job"] as? [String: Any])?["id"]) as? String))
            #expect(replayed["state"] as? String == "succeeded", "\(replayed)")
            #expect(room.model.requests.count == asked)
        }
    }

    @Test("Inside of the sandbox the key is nowhere: not in a file, a variable or a process")
    func keyInside() async throws {
        try await withRoom(.codex) { room in
            // What looks for the key does not look like the key.
            let search =
                "grep -rslE 'sk-end[-]to-end' /state /site /tmp /home /run /etc /dev /opt/engine/none "
                + "/proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/fd; echo search-ended-$?"
            let steps = [
                CommandLineTool.codex.call("exec_command", #"{"cmd": \#(CommandLineTool.quoted(search))}"#),
                CommandLineTool.codex.say("Nothing."),
            ]
            let job = try await room.edit("Find the key", steps: steps)
            let failure = job["failure"] as? [String: Any]
            #expect(failure?["code"] as? String == "nothing-changed", "\(job)")
            let told = try #require(room.model.requests.last)
            // grep says 1, or 2 when it could not read something; 0 is a find.
            #expect(told.contains("search-ended-1") || told.contains("search-ended-2"), "\(told.suffix(2000))")
            #expect(!told.contains("sk-end-to-end"))
        }
    }
}
