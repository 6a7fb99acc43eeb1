/// The Anthropic Messages API.
struct MessagesDialect: ModelDialect {
    private static let answerTokens = 16_000

    let target = "/v1/messages"
    let headers = [(name: "x-api-key", value: ModelDialects.key), (name: "anthropic-version", value: "2023-06-01")]

    func body(of talk: ModelTalk) -> JSONNode {
        var messages: [JSONNode] = [["role": "user", "content": [["type": "text", "text": .text(talk.prompt)]]]]
        for exchange in talk.exchanges {
            var blocks: [JSONNode] = []
            if !exchange.reply.text.isEmpty { blocks.append(["type": "text", "text": .text(exchange.reply.text)]) }
            for call in exchange.reply.calls {
                blocks.append([
                    "type": "tool_use", "id": .text(call.id), "name": .text(call.name),
                    "input": JSONNode(parsing: call.arguments) ?? [:],
                ])
            }
            messages.append(["role": "assistant", "content": .list(blocks)])
            let results: [JSONNode] = zip(exchange.reply.calls, exchange.results).map { call, result in
                [
                    "type": "tool_result", "tool_use_id": .text(call.id), "content": .text(result.text),
                    "is_error": .boolean(result.isError),
                ]
            }
            messages.append(["role": "user", "content": .list(results)])
        }
        var body: [String: JSONNode] = [
            "model": .text(talk.model), "max_tokens": .integer(Self.answerTokens), "stream": true,
            // The instructions and the tools are the same in every request: the provider keeps them.
            "system": [
                ["type": "text", "text": .text(talk.instructions), "cache_control": ["type": "ephemeral"]]
            ],
            "messages": .list(messages),
        ]
        if let schema = talk.schema {
            body["tools"] = [
                ["name": "answer", "description": "Give the answer.", "input_schema": schema]
            ]
            body["tool_choice"] = ["type": "tool", "name": "answer"]
        } else {
            body["tools"] = .list(
                ModelTool.all.map { tool in
                    [
                        "name": .text(tool.name), "description": .text(tool.description), "input_schema": tool.schema,
                    ]
                })
        }
        return .object(body)
    }

    func makeReader() -> any ModelReplyReader { Reader() }

    private struct Reader: ModelReplyReader {
        private struct PartialCall {
            let id: String
            let name: String
            var arguments = ""
        }

        private static let blockLimit = 256

        private var text = ""
        private var calls: [Int: PartialCall] = [:]
        private var usage = ModelReply.Usage()
        private var ending = ModelReply.Ending.complete
        private(set) var isComplete = false

        var reply: ModelReply {
            ModelReply(
                text: text,
                calls: calls.sorted { $0.key < $1.key }.map { _, call in
                    .init(id: call.id, name: call.name, arguments: call.arguments.isEmpty ? "{}" : call.arguments)
                }, usage: usage, ending: ending)
        }

        mutating func read(_ event: ServerSentEvent) throws(ModelFailure) {
            guard let data = JSONNode(parsing: event.data) else { throw .garbage("an event that is not JSON") }
            switch data["type"]?.string ?? event.name {
            case "message_start": takeUsage(data["message"]?["usage"])
            case "content_block_start":
                let index = data["index"]?.integer ?? 0
                guard (0..<Self.blockLimit).contains(index) else { throw .garbage("too many parts") }
                guard let block = data["content_block"] else { return }
                if block["type"]?.string == "tool_use" {
                    calls[index] = PartialCall(
                        id: block["id"]?.string ?? "call_\(index)", name: block["name"]?.string ?? "")
                }
                if let piece = block["text"]?.string { text += piece }
            case "content_block_delta":
                if let piece = data["delta"]?["text"]?.string { text += piece }
                if let piece = data["delta"]?["partial_json"]?.string {
                    calls[data["index"]?.integer ?? 0]?.arguments += piece
                }
            case "message_delta":
                takeUsage(data["usage"])
                switch data["delta"]?["stop_reason"]?.string {
                case "max_tokens", "model_context_window_exceeded": ending = .cutOff
                case "refusal": ending = .refused
                default: break
                }
            case "message_stop": isComplete = true
            case "error":
                throw ModelFailure(
                    code: data["error"]?["type"]?.string ?? "",
                    message: data["error"]?["message"]?.string ?? "no reason was given")
            default: break
            }
        }

        /// What comes later counts from the beginning too.
        private mutating func takeUsage(_ used: JSONNode?) {
            guard let used, used != .null else { return }
            if let input = used["input_tokens"]?.integer {
                usage.uncachedInput = input + (used["cache_creation_input_tokens"]?.integer ?? 0)
            }
            if let cached = used["cache_read_input_tokens"]?.integer { usage.cachedInput = cached }
            if let output = used["output_tokens"]?.integer { usage.output = output }
        }
    }
}
