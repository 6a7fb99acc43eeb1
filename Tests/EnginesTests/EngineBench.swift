import Domain
import Foundation
import Sandbox
import Synchronization
import TestSupport

@testable import Engines

/// One engine with its real program in a real sandbox, against a scripted model; several runs share a site and a state.
final class EngineBench {
    struct Result {
        let verdict: EngineVerdict
        let events: [EngineEvent]
        let page: String
        let usageAfterEnd: TokenUsage?
        let memory: EngineMemory?
        let transcript: [UInt8]

        var failure: JobFailure? { if case .failed(let failure) = verdict { failure } else { nil } }
        var summary: String? { if case .finished(let summary) = verdict { summary } else { nil } }
        var usage: TokenUsage? {
            events.compactMap { if case .usage(let usage) = $0 { usage } else { nil } }.last
        }
        var log: String {
            events.compactMap { if case .log(let text) = $0 { text } else { nil } }.joined(separator: "\n")
        }
    }

    private final class Recorder: Sendable {
        private let state: Mutex<(transcript: any EngineTranscript, events: [EngineEvent])>
        init(_ transcript: any EngineTranscript) { state = Mutex((transcript, [])) }
        func read(_ output: SandboxOutput) {
            state.withLock { $0.events += $0.transcript.read(output) }
        }
        func judge(_ outcome: SandboxOutcome, page: String) -> Result {
            state.withLock { state in
                let verdict = state.transcript.judge(outcome)
                return Result(
                    verdict: verdict, events: state.events, page: page,
                    usageAfterEnd: state.transcript.usageAfterEnd(), memory: state.transcript.memoryAfterEnd(),
                    transcript: state.transcript.transcriptAfterEnd())
            }
        }
    }

    static let page = "<!doctype html>\n<h1>Hello</h1>\n"

    let engine: any Engine
    let server: FakeModel
    let site: String
    private let folder: String
    private var runs = 0

    static func with<Value>(
        _ engine: any Engine, _ steps: String, files: [String: String] = [:],
        _ body: (EngineBench) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryDirectory { folder in
            try await body(try await EngineBench(engine, steps, files: files, in: folder))
        }
    }

    private init(_ engine: any Engine, _ steps: String, files: [String: String], in folder: String) async throws {
        self.engine = engine
        self.folder = folder
        site = folder + "/site"
        try FileManager.default.createDirectory(atPath: site, withIntermediateDirectories: true)
        for (name, text) in files.merging(["index.html": Self.page], uniquingKeysWith: { first, _ in first }) {
            let url = URL(filePath: site + "/" + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: url, atomically: true, encoding: .utf8)
        }
        server = try await FakeModel(steps, in: folder)
    }

    /// The state folder of the run before; its remembered folders are what a next run gets.
    var lastState: String { "\(folder)/state\(runs)" }

    func run(
        _ prompt: String = "Say hello in French", provider: ModelEndpoint.Provider? = nil, model: String = "gpt-5.4",
        tokenBudget: Int? = nil, wallTime: Duration = .seconds(60), silence: Duration = .seconds(30),
        memory: EngineMemory? = nil, replay: [UInt8] = [], schema: String? = nil, generation: String? = nil
    ) async throws -> Result {
        let before = lastState
        runs += 1
        let state = lastState
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        if memory != nil {
            for name in engine.remembered {
                try FileManager.default.copyItem(atPath: "\(before)/\(name)", toPath: "\(state)/\(name)")
            }
        }
        let task = EngineTask(
            prompt: prompt, workspace: site, state: state, limits: SandboxLimits(wallTime: wallTime),
            model: EngineModel(
                provider: provider ?? engine.name.providers.first ?? .openAIResponses, name: model,
                tokenBudget: tokenBudget, answerTimeout: silence),
            socketFolder: URL(filePath: server.socket).deletingLastPathComponent().path, replay: replay,
            memory: memory, answerSchema: schema, generation: generation)
        let run = try engine.makeRun(for: task)
        let recorder = Recorder(engine.makeTranscript(for: task))
        let outcome = try await SandboxRunner().run(run.plan, input: run.input) { recorder.read($0) }
        return recorder.judge(outcome, page: try String(contentsOfFile: site + "/index.html", encoding: .utf8))
    }
}

/// What `scripts/install-test-tools` installed, and the agent's own program.
enum ClaudeProgram {
    struct Missing: Error, CustomStringConvertible {
        var description: String { "there is no Claude Code: run scripts/install-test-tools, or set PAGEWRIGHT_CLAUDE" }
    }

    static func locate() throws -> String {
        if let named = ProcessInfo.processInfo.environment["PAGEWRIGHT_CLAUDE"] { return named }
        let library = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: ".venv-test/lib")
        for python in (try? FileManager.default.contentsOfDirectory(atPath: library.path)) ?? [] {
            let path = library.appending(path: "\(python)/site-packages/claude_agent_sdk/_bundled/claude").path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw Missing()
    }
}

enum AgentProgram {
    /// It is built together with these tests.
    static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "pagewright-agent").path
}

/// Steps for the scripted model.
enum Step {
    static func say(_ text: String, usage: String = #"{"input": 1200, "cached": 200, "output": 60}"#) -> String {
        #"{"reply": {"text": "\#(text)", "usage": \#(usage)}}"#
    }

    static func call(_ name: String, _ input: String) -> String {
        #"{"reply": {"tools": [{"name": "\#(name)", "input": \#(input)}], "usage": {"input": 1200, "cached": 200, "output": 60}}}"#
    }

    static func error(_ status: Int, _ message: String = "no", code: String = "x", times: Int = 20) -> String {
        #"{"reply": {"http_error": {"status": \#(status), "code": "\#(code)", "message": "\#(message)"}}, "times": \#(times)}"#
    }

    /// Codex: a patch of the home page.
    static func patch(from old: String, to new: String) -> String {
        #"{"reply": {"tools": [{"name": "apply_patch", "input": "*** Begin Patch\n*** Update File: index.html\n@@\n-\#(old)\n+\#(new)\n*** End Patch\n"}], "usage": {"input": 1200, "cached": 200, "output": 60}}}"#
    }
}
