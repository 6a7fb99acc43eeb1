import Domain
import Testing

@testable import Engines
@testable import Sandbox

@Suite struct CodexTranscriptTests {
    private func judge(_ lines: [String], exit code: Int = 1, diagnostics: String = "") -> EngineVerdict {
        var transcript = CodexTranscript(limits: SandboxLimits(), model: "gpt-5.4", state: "/nowhere")
        for line in lines { _ = transcript.read(.line(line)) }
        return transcript.judge(SandboxOutcome(ending: .exited(code: code), diagnostics: diagnostics))
    }

    private static let failures: [(text: String, kind: JobFailure.Kind, code: String)] = [
        ("exceeded retry limit, last status: 429 Too Many Requests", .infrastructure, "model-unavailable"),
        (
            "We're currently experiencing high demand, which may cause temporary errors.", .infrastructure,
            "model-unavailable"
        ),
        ("Selected model is at capacity. Please try a different model.", .infrastructure, "model-unavailable"),
        ("stream disconnected before completion: error sending request", .infrastructure, "model-unavailable"),
        ("unexpected status 529 <unknown>: overloaded, url: x", .infrastructure, "model-unavailable"),
        (
            "stream disconnected before completion: Incomplete response returned, reason: max_output_tokens", .task,
            "model-incomplete"
        ),
        ("unexpected status 401 Unauthorized: bad, url: x", .task, "model-credentials"),
        ("unexpected status 404 Not Found: no, url: x", .task, "model-unknown"),
        ("Missing environment variable: `MODEL_KEY`.", .task, "model-credentials"),
        ("You've hit your usage limit. Try again later.", .task, "model-quota"),
        ("Quota exceeded. Check your plan and billing details.", .task, "model-quota"),
        ("Codex ran out of room in the model's context window. Start a new thread", .task, "model-context"),
        (#"{"error": {"message": "no"}}"#, .task, "model-bad-request"),
        (
            #"{"error": {"message": "Your input exceeds the limit", "code": "context_length_exceeded"}}"#, .task,
            "model-context"
        ),
        ("unexpected status 413 Payload Too Large: no, url: x", .task, "model-context"),
        (
            "stream disconnected before completion: idle timeout waiting for SSE", .infrastructure, "model-timeout"
        ),
        ("something new", .task, "engine-failed"),
    ]

    @Test("The text of the last error decides what a failure means", arguments: failures)
    func classification(text: String, kind: JobFailure.Kind, code: String) {
        let failure = CodexFailure.classify(text)
        #expect(failure.kind == kind)
        #expect(failure.code == code)
    }

    @Test("An error that is followed by a completed turn is no failure")
    func reconnecting() {
        let verdict = judge(
            [
                #"{"type":"error","message":"Reconnecting... 1/5 (x)"}"#,
                #"{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"Fine."}}"#,
                #"{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":4,"output_tokens":2}}"#,
            ], exit: 0)
        #expect(verdict == .finished(summary: "Fine."))
    }

    @Test("When the time went by with asking again, it is the model that failed, and not the edit that was too large")
    func lateRetries() {
        func code(_ lines: [String]) -> String? {
            var transcript = CodexTranscript(limits: SandboxLimits(), model: "gpt-5.4", state: "/nowhere")
            for line in lines { _ = transcript.read(.line(line)) }
            guard case .failed(let failure) = transcript.judge(SandboxOutcome(ending: .exceeded(.wallTime))) else {
                return nil
            }
            return failure.code
        }
        let item = #"{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"Fine."}}"#
        let again = #"{"type":"error","message":"Reconnecting... 1/2 (unexpected status 504 Gateway Timeout: x)"}"#
        #expect(code([item, again]) == "model-unavailable")
        #expect(code([again, item]) == "time-limit")
        #expect(code([]) == "model-timeout")
    }

    @Test("Exit 0 without a completed turn is a failure")
    func noTurn() {
        guard case .failed(let failure) = judge([#"{"type":"turn.started"}"#], exit: 0) else {
            Issue.record("it was believed")
            return
        }
        #expect(failure.code == "engine-failed")
    }

    @Test("A refused configuration is told with its reason")
    func misconfigured() {
        guard case .failed(let failure) = judge([], diagnostics: "Error: unknown key `x`") else {
            Issue.record("it did not fail")
            return
        }
        #expect(failure.code == "engine-misconfigured")
        #expect(failure.message.contains("unknown key"))
    }

    @Test("Lines that are not events are logged and harm nothing")
    func garbage() {
        var transcript = CodexTranscript(limits: SandboxLimits(), model: "gpt-5.4", state: "/nowhere")
        #expect(transcript.read(.line("not json")) == [.log("not json")])
        #expect(transcript.read(.line(#"{"type":"new.event","x":1}"#)) == [])
        #expect(transcript.read(.line("\u{1b}[31mred")) == [.log("\u{FFFD}[31mred")])
    }

    @Test("A stopped sandbox is explained", arguments: SandboxOutcome.Limit.allCases)
    func limits(limit: SandboxOutcome.Limit) {
        var transcript = BuiltinTranscript(limits: SandboxLimits())
        guard case .failed(let failure) = transcript.judge(SandboxOutcome(ending: .exceeded(limit))) else {
            Issue.record("not a failure")
            return
        }
        #expect(failure.kind == (limit == .diskFull ? .infrastructure : .task))
        #expect(failure.message.hasSuffix("."))
    }

    @Test("Who had less memory than is allowed is tried again when the host had no more", arguments: [300, 1000, 1024])
    func memory(peakInMebibytes: Int64) {
        var transcript = BuiltinTranscript(limits: SandboxLimits(memoryInBytes: 1 << 30))
        let outcome = SandboxOutcome(
            ending: .exceeded(.memory),
            use: .init(
                wallTime: .seconds(1), processorTime: .seconds(1), peakMemoryInBytes: peakInMebibytes << 20,
                killTime: .zero))
        guard case .failed(let failure) = transcript.judge(outcome) else {
            Issue.record("not a failure")
            return
        }
        #expect(failure.code == (peakInMebibytes < 900 ? "host-memory" : "memory-limit"))
        #expect(failure.kind == (peakInMebibytes < 900 ? .infrastructure : .task))
        #expect(failure.isLoopWhenRepeated == (peakInMebibytes >= 900))
    }
}

@Suite struct EditorTranscriptTests {
    @Test("Progress, summary and refusal of the built-in editor are read")
    func lines() {
        var transcript = BuiltinTranscript(limits: SandboxLimits())
        #expect(
            transcript.read(.line(#"{"event":"progress","step":"Reading","percent":40}"#)) == [
                .progress(step: "Reading", percent: 40), .log("Reading"),
            ])
        _ = transcript.read(.line(#"{"event":"finished","summary":"Changed it."}"#))
        #expect(transcript.judge(SandboxOutcome(ending: .exited(code: 0))) == .finished(summary: "Changed it."))

        var refusing = BuiltinTranscript(limits: SandboxLimits())
        _ = refusing.read(.line(#"{"event":"refused","message":"I can change headlines."}"#))
        #expect(
            refusing.judge(SandboxOutcome(ending: .exited(code: 3)))
                == .failed(JobFailure(kind: .task, code: "engine-refused", message: "I can change headlines.")))

        var crashing = BuiltinTranscript(limits: SandboxLimits())
        guard
            case .failed(let failure) = crashing.judge(
                SandboxOutcome(ending: .exited(code: 139), diagnostics: "Fatal error: x"))
        else {
            Issue.record("it did not fail")
            return
        }
        #expect(failure.code == "engine-failed")
    }

    @Test("A codex engine insists on a socket in a folder of its own and on a plain model name")
    func codexArguments() {
        #expect(throws: ServiceError.self) {
            try CodexEngine(program: "/x", socket: "/model.sock", model: "gpt-5.4")
        }
        #expect(throws: ServiceError.self) {
            try CodexEngine(program: "/x", socket: "/run/m/other.sock", model: "gpt-5.4")
        }
        #expect(throws: ServiceError.self) {
            try CodexEngine(program: "/x", socket: "/run/m/model.sock", model: "a\"\nb")
        }
        #expect(throws: Never.self) {
            try CodexEngine(program: "/x", socket: "/run/m/model.sock", model: "gpt-5.4")
        }
    }
}
