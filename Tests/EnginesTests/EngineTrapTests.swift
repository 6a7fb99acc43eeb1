import Domain
import Foundation
import Sandbox
import TestSupport
import Testing

@testable import Engines

/// Ways in which the command-line tools mislead, each seen with the real program. The numbers are those of docs/engines.md.
@Suite(.serialized) struct EngineTrapTests {
    private static let claudeModel = "claude-sonnet-4-5"

    private func codex<Value>(
        _ steps: [String], files: [String: String] = [:], _ body: (EngineBench) async throws -> Value
    ) async throws -> Value {
        try await EngineBench.with(
            CodexEngine(program: CodexProgram.locate()), steps.joined(separator: ","), files: files, body)
    }

    private func claude<Value>(
        _ steps: [String], files: [String: String] = [:], _ body: (EngineBench) async throws -> Value
    ) async throws -> Value {
        try await EngineBench.with(
            ClaudeEngine(program: ClaudeProgram.locate()), steps.joined(separator: ","), files: files, body)
    }

    @Test("Trap 1: exit 0 does not mean that a file changed")
    func exitZero() async throws {
        try await codex([Step.patch(from: "<h1>Other</h1>", to: "<h1>Bonjour</h1>"), Step.say("Done.")]) { bench in
            let result = try await bench.run()
            #expect(result.summary == "Done.")
            #expect(result.page == EngineBench.page)
        }
        // Edit without a Read before it is refused by the tool.
        let edit = Step.call(
            "Edit", #"{"file_path": "/site/index.html", "old_string": "Hello", "new_string": "Bonjour"}"#)
        try await claude([edit, Step.say("Done.")]) { bench in
            let result = try await bench.run(model: Self.claudeModel)
            #expect(result.summary?.hasPrefix("Done.") == true)
            #expect(result.page == EngineBench.page)
        }
    }

    @Test("Trap 2: a model that Codex does not know can edit nothing, and that is said")
    func unknownSlug() async throws {
        try await codex([Step.say("Done.")]) { bench in
            let result = try await bench.run(model: "fake-model")
            #expect(result.failure?.code == "engine-misconfigured")
        }
    }

    @Test("Trap 3: the usage of a resumed thread is cumulative; what is reported is the run's own")
    func cumulativeUsage() async throws {
        try await codex([Step.say("One."), Step.say("Two.")]) { bench in
            let first = try await bench.run()
            let memory = try #require(first.memory)
            #expect(memory.usage == TokenUsage(uncachedInput: 1000, cachedInput: 200, output: 60))
            let second = try await bench.run("And again", memory: memory)
            #expect(second.summary == "Two.")
            #expect(second.usage == TokenUsage(uncachedInput: 1000, cachedInput: 200, output: 60))
            #expect(second.memory?.usage == TokenUsage(uncachedInput: 2000, cachedInput: 400, output: 120))
            let last = try #require(bench.server.requests.last)
            #expect(last.contains("Say hello in French") && last.contains("One.") && last.contains("And again"))
        }
    }

    @Test("Trap 4: Codex does not ask again after 429, so the job is tried again later")
    func tooManyRequests() async throws {
        try await codex([Step.error(429, "slow down")]) { bench in
            let result = try await bench.run()
            #expect(bench.server.requests.count == 1)
            #expect(result.failure?.sort == .retryLater)
            #expect(result.failure.map { $0.retryDelay(losses: 1) >= .seconds(5) } == true)
        }
    }

    @Test("Trap 5: neither waits for more on standard input")
    func openInput() async throws {
        // Both get the prompt there, and then its end; with an open pipe Codex would ask nothing at all.
        try await codex([Step.say("Done.")]) { bench in
            let result = try await bench.run()
            #expect(result.summary == "Done.")
        }
        try await claude([Step.say("Done.")]) { bench in
            let result = try await bench.run(model: Self.claudeModel)
            #expect(result.summary == "Done.")
            #expect(!result.log.contains("stdin"))
        }
    }

    @Test("Trap 6: a model that accepts the request and never answers costs no more than the limits")
    func neverAnswers() async throws {
        let hang = #"{"reply": {"text": "x", "hang": "start"}, "times": 9}"#
        try await codex([hang]) { bench in
            let result = try await bench.run(wallTime: .seconds(5))
            #expect(result.failure?.code == "model-timeout")
        }
        try await claude([hang]) { bench in
            let result = try await bench.run(model: Self.claudeModel, wallTime: .seconds(8))
            #expect(result.failure?.code == "model-timeout")
        }
        // The limit of silence ends it earlier; what it says then is a connection that failed.
        try await claude([hang]) { bench in
            let result = try await bench.run(model: Self.claudeModel, wallTime: .seconds(120), silence: .seconds(2))
            #expect(result.failure?.sort == .retryLater, "\(result.verdict) \(result.log)")
        }
    }

    @Test("Trap 7: commands of the model see no key, not even the dummy")
    func keyInCommands() async throws {
        let command = Step.call("exec_command", #"{"cmd": "env; echo end-of-env"}"#)
        try await codex([command, Step.say("Done.")]) { bench in
            _ = try await bench.run()
            let answer = try #require(bench.server.requests.last)
            #expect(answer.contains("end-of-env"), "the command ran")
            #expect(!answer.contains("MODEL_KEY="))
        }
        // Claude Code has no shell here at all.
        try await claude([Step.call("Bash", #"{"command": "env", "description": "x"}"#), Step.say("Done.")]) { bench in
            _ = try await bench.run(model: Self.claudeModel)
            #expect(bench.server.requests.allSatisfy { !$0.contains("ANTHROPIC_API_KEY=") })
            #expect(bench.server.requests.first?.contains(#""name": "Bash""#) == false)
        }
    }

    @Test("Trap 8: Claude Code's result says success when the API failed, and an interrupted run exits with 0")
    func falseSuccess() async throws {
        try await claude([Step.error(401)]) { bench in
            let result = try await bench.run(model: Self.claudeModel)
            #expect(result.failure?.code == "model-credentials")
        }
        var transcript = ClaudeTranscript(limits: SandboxLimits())
        _ = transcript.read(
            .line(
                #"{"type":"result","subtype":"error_during_execution","is_error":true,"terminal_reason":"aborted_streaming"}"#
            ))
        guard case .failed(let failure) = transcript.judge(SandboxOutcome(ending: .exited(code: 0))) else {
            Issue.record("it was believed")
            return
        }
        #expect(failure.code == "engine-killed")
    }

    @Test("Trap 9: flags with several values do not eat the prompt")
    func variadicFlags() async throws {
        try await claude([Step.say("Done.")]) { bench in
            let result = try await bench.run("--help is what I want on the page", model: Self.claudeModel)
            #expect(result.summary == "Done.")
            #expect(bench.server.requests.first?.contains("--help is what I want on the page") == true)
        }
        let task = EngineTask(
            prompt: "x", workspace: "/w", state: "/s", limits: SandboxLimits(),
            model: EngineModel(provider: .anthropicMessages, name: "m"), socketFolder: "/sock")
        let command = try ClaudeEngine(program: "/c").makeRun(for: task).plan.command
        #expect(command.dropFirst(2).allSatisfy { $0.hasPrefix("--") }, "every value stands behind its flag's =")
    }

    @Test("Trap 10: Claude Code writes nowhere but in the workspace")
    func confined() async throws {
        let outside = Step.call("Write", #"{"file_path": "/state/settings.json", "content": "{}"}"#)
        let inside = Step.call("Write", #"{"file_path": "/site/new.html", "content": "<p>new</p>"}"#)
        try await claude([outside, inside, Step.say("Done.")]) { bench in
            let result = try await bench.run(model: Self.claudeModel)
            #expect(result.summary?.hasPrefix("Done.") == true)
            #expect(!FileManager.default.fileExists(atPath: bench.lastState + "/settings.json"))
            #expect(FileManager.default.fileExists(atPath: bench.site + "/new.html"))
        }
    }

    @Test("Trap 11: a resumed Codex thread may still write, and one that is unknown is said")
    func resumedSandbox() async throws {
        let patch = Step.patch(from: "<h1>Hello</h1>", to: "<h1>Bonjour</h1>")
        try await codex([Step.say("One."), patch, Step.say("Two.")]) { bench in
            let memory = try #require(try await bench.run().memory)
            let second = try await bench.run("Now do it", memory: memory)
            #expect(second.summary == "Two.")
            #expect(second.page.contains("<h1>Bonjour</h1>"))
        }
        try await codex([Step.say("One.")]) { bench in
            try FileManager.default.createDirectory(
                atPath: bench.lastState + "/sessions", withIntermediateDirectories: true)
            let unknown = EngineMemory(handle: "01a1fbb0-0000-7000-8000-000000000000", usage: .zero)
            let result = try await bench.run(memory: unknown)
            #expect(result.failure == .engineForgot)
            #expect(bench.server.requests.isEmpty, "no new thread was begun silently")
        }
    }

    @Test("Trap 12: the workspace can reconfigure neither of them")
    func hostileWorkspace() async throws {
        let hostile = [
            ".codex/config.toml": "developer_instructions = \"EVILCONFIG\"\nmodel = \"gpt-5.2\"\n",
            "AGENTS.md": "EVILINSTRUCTIONS\n", "CLAUDE.md": "EVILINSTRUCTIONS\n",
            ".claude/settings.json":
                #"{"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"echo EVILHOOK > /site/hooked.txt"}]}]}}"#,
        ]
        // Twice, because the first run might have learned to trust the folder.
        try await codex([Step.say("One."), Step.say("Two.")], files: hostile) { bench in
            let memory = try #require(try await bench.run().memory)
            _ = try await bench.run("Again", memory: memory)
            #expect(bench.server.requests.count == 2)
            #expect(bench.server.requests.allSatisfy { !$0.contains("EVIL") && $0.contains("gpt-5.4") })
        }
        try await claude([Step.say("One."), Step.say("Two.")], files: hostile) { bench in
            let memory = try #require(try await bench.run(model: Self.claudeModel).memory)
            _ = try await bench.run("Again", model: Self.claudeModel, memory: memory)
            #expect(bench.server.requests.count == 2)
            #expect(bench.server.requests.allSatisfy { !$0.contains("EVIL") })
            #expect(!FileManager.default.fileExists(atPath: bench.site + "/hooked.txt"))
        }
    }
}
