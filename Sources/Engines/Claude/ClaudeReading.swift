import Domain

/// What Claude Code remembers of a session besides what was said: which files it has read. It changes no other, and a
/// replay begins a session of its own.
enum ClaudeReading {
    /// How many files are read again.
    private static let limit = 50

    /// The traffic of a run that went on with a session, with one answer more before all others: it has those files read
    /// that the run changed and did not read itself. Reading changes nothing.
    static func added(to traffic: ModelTraffic) -> ModelTraffic {
        let made = traffic.answers.flatMap { calls(in: $0) }
        let read = Set(made.filter { $0.name == "Read" }.compactMap { file(of: $0) })
        var unread: [String] = []
        for call in made where call.name == "Edit" || call.name == "Write" {
            guard let path = file(of: call), !read.contains(path), !unread.contains(path) else { continue }
            unread.append(path)
        }
        guard !unread.isEmpty, let first = traffic.answers.first(where: { isStream($0) }) else { return traffic }
        let reading = RecordedAnswer(
            number: first.number - 1, operation: first.operation, contentType: first.contentType,
            body: body(reading: unread.prefix(limit)), usage: .zero)
        return ModelTraffic(answers: [reading] + traffic.answers)
    }

    private static func isStream(_ answer: RecordedAnswer) -> Bool {
        answer.contentType.lowercased().hasPrefix("text/event-stream")
    }

    private static func file(of call: ModelReply.Call) -> String? {
        JSONNode(parsing: call.arguments)?["file_path"]?.string
    }

    private static func calls(in answer: RecordedAnswer) -> [ModelReply.Call] {
        guard isStream(answer) else {
            return (JSONNode(parsing: answer.body)?["content"]?.list ?? []).compactMap { block in
                guard block["type"]?.string == "tool_use", let input = block["input"] else { return nil }
                return .init(
                    id: block["id"]?.string ?? "", name: block["name"]?.string ?? "", arguments: input.serialized)
            }
        }
        var events = ServerSentEvents()
        var reader = MessagesDialect().makeReader()
        for event in (try? events.feed(answer.body.utf8)) ?? [] { try? reader.read(event) }
        return reader.reply.calls
    }

    /// An answer of the Messages API that asks for the content of these files.
    private static func body(reading paths: some Sequence<String>) -> String {
        var events: [JSONNode] = [
            [
                "type": "message_start",
                "message": [
                    "id": "msg_reading", "type": "message", "role": "assistant", "model": "claude", "content": [],
                    "stop_reason": .null, "stop_sequence": .null, "usage": ["input_tokens": 0, "output_tokens": 0],
                ],
            ]
        ]
        for (index, path) in paths.enumerated() {
            let place = JSONNode.integer(index)
            let input: JSONNode = ["file_path": .text(path)]
            events += [
                [
                    "type": "content_block_start", "index": place,
                    "content_block": [
                        "type": "tool_use", "id": .text("toolu_reading_\(index)"), "name": "Read", "input": [:],
                    ],
                ],
                [
                    "type": "content_block_delta", "index": place,
                    "delta": ["type": "input_json_delta", "partial_json": .text(input.serialized)],
                ],
                ["type": "content_block_stop", "index": place],
            ]
        }
        events += [
            [
                "type": "message_delta", "delta": ["stop_reason": "tool_use", "stop_sequence": .null],
                "usage": ["output_tokens": 0],
            ],
            ["type": "message_stop"],
        ]
        return events.map { "event: \($0["type"]?.string ?? "")\ndata: \($0.serialized)\n\n" }.joined()
    }
}
