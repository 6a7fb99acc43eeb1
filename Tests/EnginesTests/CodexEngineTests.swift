import Domain
import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

@testable import Engines

/// The real Codex CLI in a real sandbox, against a scripted model.
@Suite(.serialized) struct CodexEngineTests {
    private struct Result {
        let verdict: EngineVerdict
        let events: [EngineEvent]
        let page: String
        let requests: [String]
        let usageAfterEnd: TokenUsage?

        var failure: JobFailure? { if case .failed(let failure) = verdict { failure } else { nil } }
        var usage: TokenUsage? {
            events.compactMap { if case .usage(let usage) = $0 { usage } else { nil } }.last
        }
    }

    private final class Recorder: Sendable {
        private let state: Mutex<(transcript: any EngineTranscript, events: [EngineEvent])>
        init(_ transcript: any EngineTranscript) { state = Mutex((transcript, [])) }
        func read(_ output: SandboxOutput) {
            state.withLock { $0.events += $0.transcript.read(output) }
        }
        func judge(_ outcome: SandboxOutcome) -> (EngineVerdict, [EngineEvent]) {
            state.withLock { ($0.transcript.judge(outcome), $0.events) }
        }
    }

    private static let page = "<!doctype html>\n<h1>Hello</h1>\n"

    private func run(
        _ steps: String, model: String = "gpt-5.4", wallTime: Duration = .seconds(60), files: [String: String] = [:]
    ) async throws -> Result {
        try await withTemporaryDirectory { folder in
            let site = folder + "/site"
            let state = folder + "/state"
            for path in [site, state] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            for (name, text) in files.merging(["index.html": Self.page], uniquingKeysWith: { first, _ in first }) {
                let url = URL(filePath: site + "/" + name)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: url, atomically: true, encoding: .utf8)
            }
            let server = try await FakeModel(steps, in: folder)
            let engine = try CodexEngine(program: CodexProgram.locate(), socket: server.socket, model: model)
            let task = EngineTask(
                prompt: "Say hello in French", workspace: site, state: state, limits: SandboxLimits(wallTime: wallTime))
            let run = try engine.makeRun(for: task)
            let recorder = Recorder(engine.makeTranscript(for: task))
            let outcome = try await SandboxRunner().run(run.plan, input: run.input) { recorder.read($0) }
            let (verdict, events) = recorder.judge(outcome)
            return Result(
                verdict: verdict, events: events,
                page: try String(contentsOfFile: site + "/index.html", encoding: .utf8),
                requests: server.requests, usageAfterEnd: engine.makeTranscript(for: task).usageAfterEnd())
        }
    }

    private func patch(from old: String, to new: String) -> String {
        #"{"reply": {"tools": [{"name": "apply_patch", "input": "*** Begin Patch\n*** Update File: index.html\n@@\n-\#(old)\n+\#(new)\n*** End Patch\n"}], "usage": {"input": 1200, "cached": 200, "output": 60}}}"#
    }

    private func say(_ text: String) -> String {
        #"{"reply": {"text": "\#(text)", "usage": {"input": 1200, "cached": 200, "output": 60}}}"#
    }

    @Test("An edit changes the file, and summary, usage and progress are reported")
    func edit() async throws {
        let result = try await run(
            patch(from: "<h1>Hello</h1>", to: "<h1>Bonjour</h1>") + "," + say("The heading now reads Bonjour."))
        #expect(result.verdict == .finished(summary: "The heading now reads Bonjour."))
        #expect(result.page.contains("<h1>Bonjour</h1>"))
        #expect(result.usage == TokenUsage(uncachedInput: 2000, cachedInput: 400, output: 120))
        #expect(result.events.contains { if case .progress("Changed index.html", _) = $0 { true } else { false } })
        #expect(result.requests.count == 2)
        #expect(result.requests.first?.contains("Say hello in French") == true)
        #expect(result.requests.first?.contains("You edit a small website") == true, "the house rules arrive")
    }

    @Test("A patch that does not fit changes nothing although the engine believes in it")
    func failedPatch() async throws {
        let result = try await run(patch(from: "<h1>Other</h1>", to: "<h1>Bonjour</h1>") + "," + say("Done."))
        #expect(result.verdict == .finished(summary: "Done."))
        #expect(result.page == Self.page)
    }

    @Test("What a run used before it failed is counted")
    func usageOfFailure() async throws {
        let result = try await run(
            patch(from: "<h1>Hello</h1>", to: "<h1>Bonjour</h1>")
                + #", {"reply": {"http_error": {"status": 429, "message": "slow down"}}, "times": 20}"#)
        #expect(result.failure?.code == "model-unavailable")
        #expect(result.usage == nil)
        #expect(result.usageAfterEnd == TokenUsage(uncachedInput: 1000, cachedInput: 200, output: 60))
    }

    @Test("A model that Codex does not know is told plainly, because it could edit nothing")
    func unknownModel() async throws {
        let result = try await run(say("Done."), model: "fake-model")
        #expect(result.failure?.code == "engine-misconfigured")
        #expect(result.failure?.message.contains("fake-model") == true)
    }

    @Test("Files of the site can neither configure nor instruct the engine")
    func hostileWorkspace() async throws {
        let result = try await run(
            say("Done."),
            files: [
                ".codex/config.toml": "developer_instructions = \"EVILCONFIG\"\nmodel = \"gpt-5.2\"\n",
                "AGENTS.md": "EVILINSTRUCTIONS\n",
            ])
        #expect(result.verdict == .finished(summary: "Done."))
        #expect(result.requests.count == 1)
        for request in result.requests {
            #expect(!request.contains("EVIL"))
            #expect(request.contains("gpt-5.4"))
        }
    }

    @Test("Commands of the model see no key and no network but the model's")
    func commands() async throws {
        let command = "env; echo end-of-env; bash -c 'exec 3<>/dev/tcp/1.1.1.1/53' 2>&1"
        let result = try await run(
            #"{"reply": {"tools": [{"name": "exec_command", "input": {"cmd": "\#(command)"}}]}},"# + say("Done."))
        #expect(result.requests.count == 2)
        let answer = try #require(result.requests.last)
        #expect(answer.contains("end-of-env"), "the command ran")
        #expect(answer.contains("unreachable"))
        #expect(!answer.contains("MODEL_KEY="))
    }
}
