import Domain
import Foundation
import Sandbox
import TestSupport
import Testing

@testable import Engines

/// The real Claude Code CLI in a real sandbox, against a scripted model.
@Suite(.serialized) struct ClaudeEngineTests {
    private static let model = "claude-sonnet-4-5"
    private static let read = Step.call("Read", #"{"file_path": "/site/index.html"}"#)
    private static let edit = Step.call(
        "Edit", #"{"file_path": "/site/index.html", "old_string": "Hello", "new_string": "Bonjour"}"#)

    private func with<Value>(
        _ steps: [String], files: [String: String] = [:], _ body: (EngineBench) async throws -> Value
    ) async throws -> Value {
        try await EngineBench.with(
            ClaudeEngine(program: ClaudeProgram.locate()), steps.joined(separator: ","), files: files, body)
    }

    @Test("An edit changes the file, and summary, usage and progress are reported")
    func edits() async throws {
        try await with([Self.read, Self.edit, Step.say("The heading now reads Bonjour.")]) { bench in
            let result = try await bench.run(model: Self.model)
            #expect(result.verdict == .finished(summary: "The heading now reads Bonjour."))
            #expect(result.page.contains("<h1>Bonjour</h1>"))
            #expect(result.usage == TokenUsage(uncachedInput: 3600, cachedInput: 600, output: 180))
            #expect(result.events.contains { if case .progress("Edit index.html", _) = $0 { true } else { false } })
            #expect(bench.server.requests.first?.contains("Say hello in French") == true)
            #expect(bench.server.requests.first?.contains("You edit a small website") == true, "the house rules arrive")
        }
    }

    @Test("A second edit of a conversation goes on with the session, and counts only what it used itself")
    func resumes() async throws {
        try await with([Step.say("One."), Step.say("Two.")]) { bench in
            let first = try await bench.run(model: Self.model)
            let memory = try #require(first.memory)
            let second = try await bench.run("And again", model: Self.model, memory: memory)
            #expect(second.summary == "Two.")
            #expect(second.memory?.handle == memory.handle)
            #expect(second.usage == TokenUsage(uncachedInput: 1200, cachedInput: 200, output: 60))
            let last = try #require(bench.server.requests.last)
            #expect(last.contains("Say hello in French") && last.contains("One.") && last.contains("And again"))
        }
    }

    @Test("A session that is gone is begun anew by the next attempt")
    func forgotten() async throws {
        try await with([Step.say("One.")]) { bench in
            try FileManager.default.createDirectory(
                atPath: bench.lastState + "/projects", withIntermediateDirectories: true)
            let memory = EngineMemory(handle: "00000000-1111-4222-8333-444455556666", usage: .zero)
            let result = try await bench.run(model: Self.model, memory: memory)
            #expect(result.failure == .engineForgot)
            #expect(bench.server.requests.isEmpty)
        }
    }

    private static let failures: [(step: String, code: String, sort: EngineFailure)] = [
        (Step.error(404), "model-unknown", .permanent), (Step.error(400, "odd"), "model-bad-request", .permanent),
        (Step.error(400, "Your credit balance is too low"), "model-quota", .permanent),
    ]

    @Test("What the API refuses is sorted", arguments: failures)
    func sorted(step: String, code: String, sort: EngineFailure) async throws {
        try await with([step]) { bench in
            let result = try await bench.run(model: Self.model)
            #expect(result.failure?.code == code, "\(result.verdict) \(result.log)")
            #expect(result.failure?.sort == sort)
            #expect(result.page == EngineBench.page)
        }
    }
}

@Suite struct ClaudeTranscriptTests {
    private func judge(_ lines: [String], exit code: Int = 0) -> EngineVerdict {
        var transcript = ClaudeTranscript(limits: SandboxLimits())
        for line in lines { _ = transcript.read(.line(line)) }
        return transcript.judge(SandboxOutcome(ending: .exited(code: code)))
    }

    private func code(_ verdict: EngineVerdict) -> String? {
        if case .failed(let failure) = verdict { failure.code } else { nil }
    }

    @Test("The limits of turns and of money are told as limits")
    func limits() {
        #expect(
            code(judge([#"{"type":"result","subtype":"error_max_turns","is_error":true}"#], exit: 1)) == "model-turns")
        #expect(
            code(judge([#"{"type":"result","subtype":"error_max_budget_usd","is_error":true}"#], exit: 1))
                == "model-budget")
    }

    @Test("Without a last line it failed, whatever the exit code", arguments: [0, 1])
    func noResult(exit: Int) {
        #expect(code(judge([#"{"type":"system","subtype":"init"}"#], exit: exit)) == "engine-failed")
    }

    @Test("Lines that are not events are logged and harm nothing")
    func garbage() {
        var transcript = ClaudeTranscript(limits: SandboxLimits())
        #expect(transcript.read(.line("not json")) == [.log("not json")])
        #expect(transcript.read(.line(#"{"type":"new"}"#)) == [])
        #expect(transcript.read(.line(#"[1]"#)) == [])
    }

    @Test("A name of a session that would be a flag is not taken")
    func hostileSession() {
        var transcript = ClaudeTranscript(limits: SandboxLimits())
        _ = transcript.read(
            .line(#"{"type":"result","is_error":false,"session_id":"--dangerously-skip-permissions-x"}"#))
        #expect(transcript.memoryAfterEnd() == nil)
    }
}
