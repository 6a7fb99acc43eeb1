import Domain
import FoundationEssentials
import Sandbox

/// Reads the events of `claude -p --output-format stream-json`.
struct ClaudeTranscript: EngineTranscript {
    private let limits: SandboxLimits
    private var session: String?
    private var steps = 0
    private var hasPrinted = false
    private var hasAnswer = false
    /// The last line. Its `subtype` says "success" even when the API failed: `is_error` is what counts.
    private var result: JSONNode?
    /// What the API refused last, and with what status.
    private var apiError: (kind: String, status: Int?, text: String)?
    private var denials = 0
    /// Whether it asks once more, and nothing came back since.
    private var asksAgain = false

    init(limits: SandboxLimits) { self.limits = limits }

    mutating func read(_ output: SandboxOutput) -> [EngineEvent] {
        switch output {
        case .diagnostic(let text): return [.log(text.shown(limit: 2000))]
        case .line(let text):
            hasPrinted = true
            guard let line = JSONNode(parsing: text) else { return [.log(text.shown(limit: 2000))] }
            if let id = line["session_id"]?.string, Self.isSession(id) { session = id }
            switch line["type"]?.string {
            case "system": return readSystem(line)
            case "assistant": return readAssistant(line)
            case "user": return readTools(line)
            case "result": return readResult(line)
            default: return []
            }
        }
    }

    /// It becomes part of a command line.
    private static func isSession(_ text: String) -> Bool {
        text.utf8.count == 36 && text.utf8.allSatisfy { $0 == 0x2d || Hexadecimal.value(of: $0) != nil }
    }

    /// How many steps there will be is unknown: each takes a part of what is left.
    private var percent: Int { 95 - 90 * 6 / (6 + steps) }

    private mutating func readSystem(_ line: JSONNode) -> [EngineEvent] {
        switch line["subtype"]?.string {
        case "init": return [.progress(step: "Asking the model", percent: 5)]
        case "api_retry":
            asksAgain = true
            let status = line["error_status"]?.integer.map { " (\($0))" } ?? ""
            return [.log("The model is asked again\(status).")]
        case "permission_denied":
            denials += 1
            return [.log("A tool was denied.")]
        default: return []
        }
    }

    private mutating func readAssistant(_ line: JSONNode) -> [EngineEvent] {
        if let kind = line["error"]?.string {
            let text = line["message"]?["content"]?[0]?["text"]?.string ?? kind
            apiError = (kind, line["api_error_status"]?.integer, text.shown(limit: 500))
            return [.log("error: \(text.shown(limit: 2000))")]
        }
        hasAnswer = true
        asksAgain = false
        var events: [EngineEvent] = []
        for block in line["message"]?["content"]?.list ?? [] {
            steps += 1
            switch block["type"]?.string {
            case "text":
                events += [
                    .progress(step: "The assistant reports", percent: percent),
                    .log((block["text"]?.string ?? "").shown(limit: 4000)),
                ]
            case "thinking": events.append(.progress(step: "The assistant thinks", percent: percent))
            case "tool_use":
                let path = Self.relative(block["input"]?["file_path"]?.string ?? "")
                let tool = (block["name"]?.string ?? "").shown(limit: 40)
                events += [
                    .progress(step: path.isEmpty ? "The assistant works" : "\(tool) \(path)", percent: percent),
                    .log("\(tool) \(path)"),
                ]
            default: break
            }
        }
        return events
    }

    private mutating func readTools(_ line: JSONNode) -> [EngineEvent] {
        let answer = line["tool_use_result"]
        if let path = answer?["filePath"]?.string {
            let verb = answer?["type"]?.string == "create" ? "add" : "update"
            return [.log("\(verb) \(Self.relative(path))")]
        }
        return (line["message"]?["content"]?.list ?? []).compactMap { block in
            guard block["is_error"]?.boolean == true, let text = block["content"]?.string else { return nil }
            return .log("refused: \(text.shown(limit: 500))")
        }
    }

    private mutating func readResult(_ line: JSONNode) -> [EngineEvent] {
        result = line
        denials = max(denials, line["permission_denials"]?.list.count ?? 0)
        return [.usage(Self.usage(line["usage"])), .progress(step: "The assistant is done", percent: 100)]
    }

    /// Of this run alone; what is read from the cache and written to it stands beside the input.
    private static func usage(_ usage: JSONNode?) -> TokenUsage {
        func count(_ name: String) -> Int { min(1 << 40, max(0, usage?[name]?.integer ?? 0)) }
        return TokenUsage(
            uncachedInput: count("input_tokens") + count("cache_creation_input_tokens"),
            cachedInput: count("cache_read_input_tokens"), output: count("output_tokens"))
    }

    private static func relative(_ path: String) -> String {
        let prefix = SandboxPlan.workspacePath + "/"
        return (path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path).shown(limit: 100)
    }

    func memoryAfterEnd() -> EngineMemory? {
        guard let result, result["is_error"]?.boolean == false, let session else { return nil }
        return EngineMemory(handle: session, usage: .zero)
    }

    mutating func judge(_ outcome: SandboxOutcome) -> EngineVerdict {
        if case .exceeded(.wallTime) = outcome.ending, !hasAnswer || asksAgain {
            // It waits for ever when a model accepts the request and never answers.
            return .failed(
                JobFailure(
                    kind: .infrastructure, code: "model-timeout",
                    message: "The model did not answer within \(limits.wallTime.inWords)."))
        }
        if let failure = JobFailure.stopped(outcome, limits: limits) { return .failed(failure) }
        guard case .exited(let code) = outcome.ending else {
            preconditionFailure("every other ending is a failure")
        }
        // The exit code alone says nothing: interrupted it is 0.
        guard code == 0, let result, result["is_error"]?.boolean == false else {
            return .failed(
                ClaudeFailure.classify(
                    result: result, apiError: apiError, code: code, hasPrinted: hasPrinted, outcome: outcome))
        }
        var summary = (result["result"]?.string ?? "").shown(limit: 4000)
        if denials > 0 { summary = (summary + "\n(\(denials) steps were not permitted.)").shown(limit: 4000) }
        return .finished(summary: summary)
    }
}
