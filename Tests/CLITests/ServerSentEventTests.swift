import Testing

@testable import PagewrightCLI

struct ServerSentEventTests {
    private func parse(_ text: String) -> [ServerSentEvent] {
        var parser = ServerSentEventParser()
        return text.split(separator: "\n", omittingEmptySubsequences: false).compactMap { parser.consume(line: $0) }
    }

    @Test("Events have an id, a kind and data; comments are none")
    func events() {
        let events = parse(": beat\n\nid: 7\nevent: job.progress\ndata: {\"a\":1}\n\ndata: x\ndata:y\n\n")
        #expect(
            events == [
                ServerSentEvent(id: "7", kind: "job.progress", data: #"{"a":1}"#),
                ServerSentEvent(id: nil, kind: "message", data: "x\ny"),
            ])
    }

    @Test("An event that was not ended is not handed out")
    func unfinished() {
        #expect(parse("id: 1\ndata: x").isEmpty)
    }
}
