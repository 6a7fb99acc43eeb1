/// Chat completions as OpenAI made them and many others offer them.
struct ChatDialect: ModelDialect {
    let target = "/v1/chat/completions"
    let headers = [(name: "authorization", value: "Bearer \(ModelDialects.key)")]

    func body(of talk: ModelTalk) -> JSONNode {
        var messages: [JSONNode] = [
            ["role": "system", "content": .text(talk.instructions)], ["role": "user", "content": .text(talk.prompt)],
        ]
        for exchange in talk.exchanges {
            let calls: [JSONNode] = exchange.reply.calls.map { call in
                [
                    "id": .text(call.id), "type": "function",
                    "function": ["name": .text(call.name), "arguments": .text(call.arguments)],
                ]
            }
            var message: [String: JSONNode] = ["role": "assistant", "content": .text(exchange.reply.text)]
            if !calls.isEmpty { message["tool_calls"] = .list(calls) }
            messages.append(.object(message))
            for (call, result) in zip(exchange.reply.calls, exchange.results) {
                messages.append(["role": "tool", "tool_call_id": .text(call.id), "content": .text(result.text)])
            }
        }
        var body: [String: JSONNode] = [
            "model": .text(talk.model), "messages": .list(messages), "stream": true,
            "stream_options": ["include_usage": true],
        ]
        if let schema = talk.schema {
            body["response_format"] = [
                "type": "json_schema", "json_schema": ["name": "answer", "strict": true, "schema": schema],
            ]
        } else {
            body["tools"] = .list(
                ModelTool.all.map { tool in
                    [
                        "type": "function",
                        "function": [
                            "name": .text(tool.name), "description": .text(tool.description), "parameters": tool.schema,
                        ],
                    ]
                })
        }
        return .object(body)
    }

    func makeReader() -> any ModelReplyReader { Reader() }

    private struct Reader: ModelReplyReader {
        private struct PartialCall {
            var id = ""
            var name = ""
            var arguments = ""
        }

        private static let callLimit = 64

        private var text = ""
        private var calls: [Int: PartialCall] = [:]
        private var usage = ModelReply.Usage()
        private var ending = ModelReply.Ending.complete
        private var hasEnding = false
        private(set) var isComplete = false

        var reply: ModelReply {
            ModelReply(
                text: text,
                calls: calls.sorted { $0.key < $1.key }.map { index, call in
                    .init(id: call.id.isEmpty ? "call_\(index)" : call.id, name: call.name, arguments: call.arguments)
                }, usage: usage, ending: ending)
        }

        mutating func read(_ event: ServerSentEvent) throws(ModelFailure) {
            if event.data == "[DONE]" {
                isComplete = hasEnding
                return
            }
            guard let data = JSONNode(parsing: event.data) else { throw .garbage("an event that is not JSON") }
            if let error = data["error"], error != .null {
                throw ModelFailure(
                    code: error["code"]?.string ?? error["type"]?.string ?? "",
                    message: error["message"]?.string ?? "no reason was given")
            }
            if let used = data["usage"], used != .null {
                let cached = used["prompt_tokens_details"]?["cached_tokens"]?.integer ?? 0
                usage = .init(
                    uncachedInput: (used["prompt_tokens"]?.integer ?? 0) - cached, cachedInput: cached,
                    output: used["completion_tokens"]?.integer ?? 0)
            }
            guard let choice = data["choices"]?[0] else { return }
            if let piece = choice["delta"]?["content"]?.string { text += piece }
            for piece in choice["delta"]?["tool_calls"]?.list ?? [] {
                let index = piece["index"]?.integer ?? 0
                guard (0..<Self.callLimit).contains(index) else { throw .garbage("too many calls at once") }
                if let id = piece["id"]?.string { calls[index, default: .init()].id = id }
                if let name = piece["function"]?["name"]?.string { calls[index, default: .init()].name += name }
                if let part = piece["function"]?["arguments"]?.string {
                    calls[index, default: .init()].arguments += part
                }
            }
            switch choice["finish_reason"]?.string {
            case "length": ending = .cutOff
            case "content_filter": ending = .refused
            case nil: return
            default: break
            }
            hasEnding = true
        }
    }
}
