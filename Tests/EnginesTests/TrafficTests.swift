import Domain
import Foundation
import Testing

@testable import Engines

/// What is read, outside of the sandbox, of an answer on its way to a program.
@Suite struct TrafficTests {
    private static let messages = """
        event: message_start
        data: {"type":"message_start","message":{"id":"m","role":"assistant","usage":{"input_tokens":90,"cache_read_input_tokens":10,"output_tokens":1}}}

        event: ping
        data: {"type":"ping"}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"write","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\\"path\\": \\"a"}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":".html\\"}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":25}}

        event: message_stop
        data: {"type":"message_stop"}


        """
    private static let responses = """
        event: response.created
        data: {"type":"response.created","response":{"id":"r","instructions":"a very long text","tools":[{"name":"x"}]}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","delta":"Do"}

        event: response.output_item.done
        data: {"type":"response.output_item.done","output_index":0,"item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Done."}]}}

        event: response.completed
        data: {"type":"response.completed","response":{"id":"r","instructions":"a very long text","output":[{"type":"message"}],"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":40},"output_tokens":7}}}


        """
    private static let chat = """
        data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hi"}}]}

        data: {"object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":50,"prompt_tokens_details":{"cached_tokens":20},"completion_tokens":3}}

        data: [DONE]


        """

    /// The reader after all of `text`, in pieces of so many bytes.
    private func read(_ text: String, pieces size: Int = 7, type: String = "text/event-stream") -> TrafficReader {
        var reader = TrafficReader(contentType: type)
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            reader.read(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return reader
    }

    @Test("Tokens are counted in the words of each API, before the program sees the end", arguments: [1, 7, 100_000])
    func usage(size: Int) {
        #expect(
            read(Self.messages, pieces: size).usage == TokenUsage(uncachedInput: 90, cachedInput: 10, output: 25))
        #expect(
            read(Self.responses, pieces: size).usage == TokenUsage(uncachedInput: 60, cachedInput: 40, output: 7))
        #expect(read(Self.chat, pieces: size).usage == TokenUsage(uncachedInput: 30, cachedInput: 20, output: 3))
    }

    @Test("What is kept of a stream says the same as the stream, and no more than that")
    func kept() throws {
        var reader = read(Self.messages)
        let readerKept = reader.finish()
        let body = try #require(readerKept)
        #expect(!body.contains("ping") && body.components(separatedBy: "content_block_delta").count == 3)
        var events = ServerSentEvents()
        var replies = ModelDialects.dialect(for: .anthropicMessages).makeReader()
        for event in try events.feed(Array(body.utf8)) where !replies.isComplete { try replies.read(event) }
        #expect(replies.isComplete && replies.reply.calls.first?.arguments == #"{"path": "a.html"}"#)

        var other = read(Self.responses)
        let otherKept = other.finish()
        let short = try #require(otherKept)
        #expect(short.contains("Done.") && short.contains("response.completed"))
        #expect(!short.contains("a very long text") && !short.contains("output_text.delta"))
    }

    @Test("What broke off, is too long, or is no answer is not kept, and what it cost is")
    func notKept() {
        func kept(_ reader: TrafficReader) -> (body: String?, usage: TokenUsage) {
            var reader = reader
            let body = reader.finish()
            return (body, reader.usage)
        }
        let half = kept(read(String(Self.messages.prefix(500))))
        #expect(half.body == nil && half.usage.uncachedInput == 90)
        let long = kept(
            read(
                Self.responses.replacing("Done.", with: String(repeating: "x", count: JobCompletion.transcriptLimit)),
                pieces: 65_536))
        #expect(long.body == nil && long.usage.output == 7)
        let garbage = kept(read("<html>busy</html>", type: "text/html"))
        #expect(garbage.body == nil && garbage.usage == .zero)
        let endless = kept(read("data: " + String(repeating: "x", count: 5 << 20), pieces: 1 << 20))
        #expect(endless.body == nil)
        let plain = kept(read(#"{"input_tokens": 12}"#, type: "application/json"))
        #expect(plain.body == #"{"input_tokens": 12}"# && plain.usage == .zero)
    }

    /// An answer of the Messages API that calls one tool.
    private static func call(_ number: Int, _ tool: String, _ path: String) -> RecordedAnswer {
        let body = Self.messages.replacing("\"name\":\"write\"", with: "\"name\":\"\(tool)\"")
            .replacing("path\\\": \\\"a", with: "file_path\\\": \\\"\(path)").replacing(".html", with: "")
        return RecordedAnswer(
            number: number, operation: "/v1/messages", contentType: "text/event-stream", body: body, usage: .zero)
    }

    @Test("What Claude Code changed and had read in an earlier edit only is read first in a replay; nothing else is")
    func readingFirst() throws {
        let engine = ClaudeEngine(program: "/c")
        let traffic = ModelTraffic(answers: [
            Self.call(0, "Edit", "/site/a"), Self.call(1, "Read", "/site/b"), Self.call(2, "Edit", "/site/b"),
            Self.call(3, "Edit", "/site/a"), Self.call(4, "Write", "/site/c"), Self.call(5, "Glob", "/site/d"),
        ])
        let whole = engine.selfContained(traffic)
        #expect(Array(whole.answers.dropFirst()) == traffic.answers)
        let first = try #require(whole.answers.first)
        #expect(first.operation == "/v1/messages" && first.contentType == "text/event-stream")
        var events = ServerSentEvents()
        var reader = ModelDialects.dialect(for: .anthropicMessages).makeReader()
        for event in try events.feed(Array(first.body.utf8)) { try reader.read(event) }
        #expect(reader.isComplete && reader.reply.calls.map(\.name) == ["Read", "Read"])
        #expect(reader.reply.calls.map(\.arguments) == [#"{"file_path":"/site/a"}"#, #"{"file_path":"/site/c"}"#])
        #expect(ModelTraffic(serialized: whole.serialized) == whole)

        let readItself = ModelTraffic(answers: [Self.call(0, "Read", "/site/a"), Self.call(1, "Edit", "/site/a")])
        #expect(engine.selfContained(readItself) == readItself)
        #expect(engine.selfContained(ModelTraffic(answers: [])) == ModelTraffic(answers: []))
        #expect(CodexEngine(program: "/c").selfContained(traffic) == traffic)
    }

    @Test("A transcript is read again as it was written, in the order of the questions; a line that was cut off is not")
    func serialized() throws {
        let answers = [1, 0].map { number in
            RecordedAnswer(
                number: number, operation: "/v1/responses", contentType: "text/event-stream",
                body: "data: \(number)\n\n",
                usage: TokenUsage(uncachedInput: number, cachedInput: 2, output: 3))
        }
        let traffic = ModelTraffic(answers: answers)
        #expect(ModelTraffic(serialized: traffic.serialized) == traffic)
        #expect(traffic.answers.map(\.number) == [0, 1])
        #expect(ModelTraffic(left: Array(traffic.serialized.dropLast(5))).answers.map(\.number) == [0])
        #expect(ModelTraffic(serialized: []) == nil && ModelTraffic(serialized: Array("kept\n".utf8)) == nil)
        let long = RecordedAnswer(
            number: 0, operation: "/v1/responses", contentType: "",
            body: String(repeating: "x", count: JobCompletion.transcriptLimit), usage: .zero)
        #expect(ModelTraffic(answers: [long]).serialized.isEmpty)
    }
}
