package import Domain

/// Reads one answer of a model while it goes to a program: how many tokens it cost, and what a replay needs of it.
///
/// Nothing in it is believed; it is bounded, and what cannot be read is neither counted nor kept.
package struct TrafficReader: Sendable {
    private let isStream: Bool
    private var events = ServerSentEvents()
    /// Of an answer that is no stream.
    private var text: [UInt8] = []
    private var kept: [Kept] = []
    private var size = 0
    private var isReadable = true
    private var isComplete = false
    /// What this answer cost, as far as it was said.
    package private(set) var usage = TokenUsage.zero
    /// What the model said when it declined, shortened; `nil` when it did not. Programs may keep it from their users: Codex
    /// takes such an answer for an empty one.
    package private(set) var refusal: String?

    private struct Kept {
        let name: String
        var data: JSONNode
    }

    package init(contentType: String) { isStream = contentType.lowercased().hasPrefix("text/event-stream") }

    package mutating func read(_ bytes: [UInt8]) {
        guard isReadable else { return }
        guard isStream else {
            text += bytes
            isReadable = text.count <= JobCompletion.transcriptLimit
            return
        }
        guard let found = try? events.feed(bytes) else {
            isReadable = false
            return
        }
        for event in found { read(event) }
    }

    /// What is to be kept, when all of it came and can be used again.
    package mutating func finish() -> String? {
        guard isReadable else { return nil }
        if !isStream {
            let body = String(decoding: text, as: UTF8.self)
            guard let node = JSONNode(parsing: body) else { return nil }
            note(node["usage"])
            return body
        }
        guard isComplete, size <= JobCompletion.transcriptLimit else { return nil }
        return kept.map { "event: \($0.name)\ndata: \($0.data.serialized)\n\n" }.joined()
    }

    // MARK: Events

    private mutating func read(_ event: ServerSentEvent) {
        // Most events of a stream of the Responses API only show how an answer grows.
        if event.name.hasPrefix("response."), !Self.needed.contains(event.name) { return }
        guard let data = JSONNode(parsing: event.data) else { return }
        let name = data["type"]?.string ?? event.name
        switch name {
        case "response.created": keep(name, Self.short(data))
        case "response.output_item.done":
            note(refusalsIn: data["item"])
            keep(name, Self.short(data))
        case "response.completed", "response.incomplete", "response.failed":
            note(data["response"]?["usage"])
            isComplete = name == "response.completed"
            keep(name, Self.short(data))
        case "message_start":
            note(data["message"]?["usage"])
            keep(name, data)
        case "content_block_start", "content_block_stop": keep(name, data)
        case "content_block_delta": if !join(data) { keep(name, data) }
        case "message_delta":
            note(data["usage"])
            keep(name, data)
        case "message_stop":
            isComplete = true
            keep(name, data)
        default: note(data["usage"])  // A chunk of a chat has no type.
        }
    }

    private static let needed: Set<String> = [
        "response.created", "response.output_item.done", "response.completed", "response.incomplete",
        "response.failed",
    ]

    private mutating func keep(_ name: String, _ data: JSONNode) {
        size += name.utf8.count + data.serialized.utf8.count
        guard size <= JobCompletion.transcriptLimit else { return kept = [] }
        kept.append(Kept(name: name, data: data))
    }

    /// Providers say back what they were told; no client needs that.
    private static func short(_ data: JSONNode) -> JSONNode {
        guard case .object(var members) = data, case .object(var response)? = members["response"] else { return data }
        for name in ["instructions", "tools"] { response[name] = nil }
        if response["output"] != nil { response["output"] = [] }
        members["response"] = .object(response)
        return .object(members)
    }

    /// Makes one piece of two that follow each other.
    private mutating func join(_ data: JSONNode) -> Bool {
        guard let last = kept.last, last.name == "content_block_delta", last.data["index"] == data["index"],
            let kind = data["delta"]?["type"]?.string, last.data["delta"]?["type"]?.string == kind,
            let member = ["text_delta": "text", "input_json_delta": "partial_json", "thinking_delta": "thinking"][kind],
            let more = data["delta"]?[member]?.string, let before = last.data["delta"]?[member]?.string,
            case .object(var members) = last.data, case .object(var delta)? = members["delta"]
        else { return false }
        delta[member] = .text(before + more)
        members["delta"] = .object(delta)
        size += more.utf8.count
        guard size <= JobCompletion.transcriptLimit else {
            kept = []
            return true
        }
        kept[kept.count - 1].data = .object(members)
        return true
    }

    private mutating func note(refusalsIn item: JSONNode?) {
        for part in item?["content"]?.list ?? [] {
            if let text = part["refusal"]?.string { refusal = text.shown(limit: 500) }
        }
    }

    /// In the words of any of the providers; what is said later replaces what was said before.
    private mutating func note(_ said: JSONNode?) {
        guard let said, case .object = said else { return }
        func count(_ node: JSONNode?) -> Int? { node?.integer.map { max(0, min($0, 1 << 40)) } }
        if let input = count(said["input_tokens"]) {
            if let cached = count(said["input_tokens_details"]?["cached_tokens"]) {
                usage = TokenUsage(
                    uncachedInput: max(0, input - cached), cachedInput: cached, output: usage.output)
            } else {
                usage = TokenUsage(
                    uncachedInput: input + (count(said["cache_creation_input_tokens"]) ?? 0),
                    cachedInput: count(said["cache_read_input_tokens"]) ?? usage.cachedInput, output: usage.output)
            }
        } else if let input = count(said["prompt_tokens"]) {
            let cached = count(said["prompt_tokens_details"]?["cached_tokens"]) ?? 0
            usage = TokenUsage(uncachedInput: max(0, input - cached), cachedInput: cached, output: usage.output)
        }
        if let output = count(said["output_tokens"]) ?? count(said["completion_tokens"]) {
            usage = TokenUsage(uncachedInput: usage.uncachedInput, cachedInput: usage.cachedInput, output: output)
        }
    }
}
