/// The OpenAI Responses API.
struct ResponsesDialect: ModelDialect {
    let target = "/v1/responses"
    let headers = [(name: "authorization", value: "Bearer \(ModelDialects.key)")]

    func body(of talk: ModelTalk) -> JSONNode {
        var input: [JSONNode] = [["role": "user", "content": [["type": "input_text", "text": .text(talk.prompt)]]]]
        for exchange in talk.exchanges {
            if !exchange.reply.text.isEmpty {
                input.append([
                    "type": "message", "role": "assistant",
                    "content": [["type": "output_text", "text": .text(exchange.reply.text)]],
                ])
            }
            for call in exchange.reply.calls {
                input.append([
                    "type": "function_call", "call_id": .text(call.id), "name": .text(call.name),
                    "arguments": .text(call.arguments),
                ])
            }
            for (call, result) in zip(exchange.reply.calls, exchange.results) {
                input.append([
                    "type": "function_call_output", "call_id": .text(call.id), "output": .text(result.text),
                ])
            }
        }
        var body: [String: JSONNode] = [
            "model": .text(talk.model), "instructions": .text(talk.instructions), "input": .list(input),
            // Nothing of a site is to stay with the provider.
            "stream": true, "store": false,
        ]
        if let schema = talk.schema {
            body["text"] = [
                "format": ["type": "json_schema", "name": "answer", "strict": true, "schema": schema]
            ]
        } else {
            body["tools"] = .list(
                ModelTool.all.map { tool in
                    [
                        "type": "function", "name": .text(tool.name), "description": .text(tool.description),
                        "parameters": tool.schema, "strict": true,
                    ]
                })
        }
        return .object(body)
    }

    func makeReader() -> any ModelReplyReader { Reader() }

    private struct Reader: ModelReplyReader {
        private(set) var reply = ModelReply()
        private(set) var isComplete = false

        mutating func read(_ event: ServerSentEvent) throws(ModelFailure) {
            guard let data = JSONNode(parsing: event.data) else { throw .garbage("an event that is not JSON") }
            switch data["type"]?.string ?? event.name {
            case "response.output_item.done": if let item = data["item"] { take(item) }
            case "response.completed":
                takeUsage(data["response"]?["usage"])
                isComplete = true
            case "response.incomplete":
                takeUsage(data["response"]?["usage"])
                let reason = data["response"]?["incomplete_details"]?["reason"]?.string
                reply.ending = reason == "content_filter" ? .refused : .cutOff
                isComplete = true
            case "response.failed":
                let error = data["response"]?["error"]
                throw ModelFailure(
                    code: error?["code"]?.string ?? "", message: error?["message"]?.string ?? "no reason was given")
            case "error":
                let error = data["error"] ?? data
                throw ModelFailure(
                    code: error["code"]?.string ?? error["type"]?.string ?? "",
                    message: error["message"]?.string ?? "no reason was given")
            default: break
            }
        }

        private mutating func take(_ item: JSONNode) {
            switch item["type"]?.string {
            case "message":
                for part in item["content"]?.list ?? [] {
                    if let text = part["text"]?.string { reply.text += text }
                    if let text = part["refusal"]?.string {
                        reply.text += text
                        reply.ending = .refused
                    }
                }
            case "function_call":
                reply.calls.append(
                    .init(
                        id: item["call_id"]?.string ?? "call_\(reply.calls.count)", name: item["name"]?.string ?? "",
                        arguments: item["arguments"]?.string ?? "{}"))
            default: break
            }
        }

        private mutating func takeUsage(_ usage: JSONNode?) {
            let cached = usage?["input_tokens_details"]?["cached_tokens"]?.integer ?? 0
            reply.usage = .init(
                uncachedInput: (usage?["input_tokens"]?.integer ?? 0) - cached, cachedInput: cached,
                output: usage?["output_tokens"]?.integer ?? 0)
        }
    }
}
