import Domain
import Foundation
import Testing

@testable import Engines

/// A model that misbehaves, with each engine that asks one and its real program: every way is sorted, said in a sentence,
/// and changes nothing. It takes no longer than the program's own tries, which its configuration bounds.
@Suite(.timeLimit(.minutes(5))) struct BadModelTests {
    enum Asker: String, CaseIterable, Sendable {
        case model, codex, claude

        func engine() throws -> any Engine {
            switch self {
            case .model: ModelEngine(program: AgentProgram.path)
            case .codex: CodexEngine(program: try CodexProgram.locate())
            case .claude: ClaudeEngine(program: try ClaudeProgram.locate())
            }
        }

        /// The engine `model` speaks all of them; this is the one that differs from Codex.
        var provider: ModelEndpoint.Provider { self == .codex ? .openAIResponses : .anthropicMessages }
        var name: String { self == .codex ? "gpt-5.4" : "claude-sonnet-4-5" }
    }

    enum Misdeed: String, CaseIterable, Sendable {
        case answersGarbage, answersAPage, answersNothing, neverAnswers, streamsHalf, stopsInTheMiddle, isCutOff
        case says401, says429, says500, says529, refuses, exceedsTheContext

        /// Codex and Claude Code are told in the words of their own APIs.
        func step(_ asker: Asker) -> String {
            func always(_ reply: String) -> String { #"{"reply": {\#(reply)}, "times": 40}"# }
            return switch self {
            case .answersGarbage:
                always(#""raw": "event: message_start\ndata: {]\n\nevent: response.completed\ndata: 7\n\n""#)
            case .answersAPage: always(#""raw": "<html><body>Welcome</body></html>", "raw_type": "text/html""#)
            case .answersNothing: always(#""text": """#)
            case .neverAnswers: always(#""text": "x", "hang": "start""#)
            case .streamsHalf: always(#""text": "a long answer", "cut_after": 3"#)
            case .stopsInTheMiddle: always(#""text": "a long answer", "hang": "stream""#)
            case .isCutOff:
                always(#""text": "half", "incomplete": "max_output_tokens", "stop_reason": "max_tokens""#)
            case .says401: Step.error(401, times: 40)
            case .says429: Step.error(429, "slow down", times: 40)
            case .says500: Step.error(500, times: 40)
            case .says529: Step.error(529, "overloaded", times: 40)
            case .refuses where asker == .codex:
                always(
                    #""stream_error": {"code": "invalid_prompt", "message": "Invalid prompt: your prompt was flagged as potentially violating our usage policy."}"#
                )
            case .refuses: always(#""text": "", "stop_reason": "refusal""#)
            case .exceedsTheContext where asker == .codex:
                always(#""stream_error": {"code": "context_length_exceeded", "message": "too long"}"#)
            case .exceedsTheContext: Step.error(400, "prompt is too long: 300000 tokens > 200000 maximum", times: 40)
            }
        }

        var sort: EngineFailure {
            switch self {
            case .answersGarbage, .answersAPage, .answersNothing, .neverAnswers, .streamsHalf, .stopsInTheMiddle,
                .says429, .says500, .says529:
                .retryLater
            case .says401, .refuses: .permanent
            case .exceedsTheContext: .tooBig
            case .isCutOff: .limitReached
            }
        }

        /// `nil` where a program cannot tell it from a connection that was lost.
        func code(_ asker: Asker) -> String? {
            switch self {
            case .answersGarbage, .answersAPage: asker == .claude ? "model-garbage" : nil
            case .answersNothing, .streamsHalf: nil
            case .neverAnswers, .stopsInTheMiddle: "model-timeout"
            case .isCutOff: "model-incomplete"
            case .says401: "model-credentials"
            case .says429, .says500, .says529: "model-unavailable"
            case .refuses: "model-refused"
            case .exceedsTheContext: "model-context"
            }
        }
    }

    @Test(
        "What a model does wrong is sorted and said, and changes nothing", arguments: Asker.allCases, Misdeed.allCases)
    func misdeed(asker: Asker, misdeed: Misdeed) async throws {
        try await EngineBench.with(asker.engine(), misdeed.step(asker)) { bench in
            // Only Codex waits for ever for the first byte; nothing else may need the limit of an edit.
            let isPatient = asker == .codex && misdeed == .neverAnswers
            let result = try await bench.run(
                provider: asker.provider, model: asker.name, wallTime: .seconds(isPatient ? 12 : 120),
                silence: .seconds(2))
            #expect(try FileManager.default.subpathsOfDirectory(atPath: bench.site) == ["index.html"])
            #expect(result.page == EngineBench.page)
            #expect(!bench.server.requests.isEmpty, "it was asked")
            if misdeed == .answersNothing, asker != .model {
                // A program takes silence for an end: nothing was changed, and that is what the job says then.
                #expect(result.summary?.isEmpty == true, "\(result.verdict)")
                return
            }
            let failure = try #require(result.failure, "\(result.verdict) \(result.log)")
            #expect(failure.sort == misdeed.sort, "\(failure) \(result.log)")
            if let code = misdeed.code(asker) { #expect(failure.code == code, "\(failure) \(result.log)") }
            #expect(failure.message.count > 20 && failure.message.first?.isUppercase == true, "\(failure)")
            #expect(result.memory == nil, "nothing goes on with what failed")
        }
    }

    @Test("An edit of Codex whose model breaks off in the middle is no result, and what it used is counted")
    func late() async throws {
        let patch = Step.patch(from: "<h1>Hello</h1>", to: "<h1>Bonjour</h1>")
        let half = #"{"reply": {"text": "a long answer", "cut_after": 3}, "times": 40}"#
        try await EngineBench.with(CodexEngine(program: CodexProgram.locate()), patch + "," + half) { bench in
            let result = try await bench.run(silence: .seconds(2))
            #expect(result.failure?.sort == .retryLater, "\(result.verdict)")
            #expect(result.usageAfterEnd == TokenUsage(uncachedInput: 1000, cachedInput: 200, output: 60))
        }
    }
}
