import Domain
import FoundationEssentials
import Sandbox

/// Reads the events of `codex exec --json`.
struct CodexTranscript: EngineTranscript {
    private struct Line: Decodable {
        var type: String
        var item: Item?
        var error: Problem?
        var message: String?
        var usage: Usage?
        var thread_id: String?
    }

    private struct Item: Decodable {
        var type: String
        var text: String?
        var message: String?
        var command: String?
        var exit_code: Int?
        var changes: [Change]?
    }

    private struct Change: Decodable {
        var path: String
        var kind: String
    }

    private struct Problem: Decodable {
        var message: String?
    }

    private struct Usage: Decodable {
        var input_tokens: Int?
        var cached_input_tokens: Int?
        var output_tokens: Int?
    }

    private let limits: SandboxLimits
    private let model: String
    private let state: String
    /// The thread that is resumed; what it used before counts in what it says now.
    private let memory: EngineMemory?
    private var thread: String?
    /// Of the whole thread.
    private var total: TokenUsage?
    private var hasPrinted = false
    private var items = 0
    private var isTurnCompleted = false
    /// The last message of the model; it becomes the summary.
    private var message = ""
    /// Of `turn.failed`, which is final; an `error` alone may be followed by another try.
    private var failure: String?
    /// Of an `error` after which nothing was done yet.
    private var lastError: String?
    private var isModelUnknown = false

    /// - Parameter state: the folder on this host that Codex keeps its sessions in.
    init(limits: SandboxLimits, model: String, state: String, memory: EngineMemory? = nil) {
        self.limits = limits
        self.model = model
        self.state = state
        self.memory = memory
    }

    func usageAfterEnd() -> TokenUsage? { CodexRollout.usage(in: state).map(ofThisRun) }

    func memoryAfterEnd() -> EngineMemory? {
        guard isTurnCompleted, let thread, let total else { return nil }
        return EngineMemory(handle: thread, usage: total)
    }

    /// What a total of the thread says of this run alone.
    private func ofThisRun(_ total: TokenUsage) -> TokenUsage {
        guard let before = memory?.usage else { return total }
        return TokenUsage(
            uncachedInput: max(0, total.uncachedInput - before.uncachedInput),
            cachedInput: max(0, total.cachedInput - before.cachedInput), output: max(0, total.output - before.output))
    }

    mutating func read(_ output: SandboxOutput) -> [EngineEvent] {
        switch output {
        case .diagnostic(let text):
            return text.hasPrefix("Reading additional input") ? [] : [.log(text.shown(limit: 2000))]
        case .line(let text):
            hasPrinted = true
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else {
                return [.log(text.shown(limit: 2000))]
            }
            return read(line)
        }
    }

    private mutating func read(_ line: Line) -> [EngineEvent] {
        switch line.type {
        case "thread.started":
            // It becomes part of a command line.
            if let id = line.thread_id, id.utf8.count <= 64,
                id.utf8.allSatisfy({ $0 == 0x2d || Hexadecimal.value(of: $0) != nil }), !id.hasPrefix("-")
            {
                thread = id
            }
            return [.progress(step: "Starting the assistant", percent: 2)]
        case "turn.started": return [.progress(step: "Asking the model", percent: 5)]
        case "item.completed":
            items += 1
            lastError = nil
            // How many steps there will be is unknown: each takes a part of what is left.
            let percent = 95 - 90 * 6 / (6 + items)
            return line.item.map { read($0, percent: percent) } ?? []
        case "turn.completed":
            isTurnCompleted = true
            guard let usage = line.usage else { return [] }
            let cached = max(0, usage.cached_input_tokens ?? 0)
            let total = TokenUsage(
                uncachedInput: max(0, max(0, usage.input_tokens ?? 0) - cached), cachedInput: cached,
                output: max(0, usage.output_tokens ?? 0))
            self.total = total
            return [
                .usage(ofThisRun(total)), .progress(step: "The assistant is done", percent: 100),
            ]
        case "turn.failed":
            failure = line.error?.message ?? lastError ?? "no reason was given"
            return [.log("failed: " + (failure ?? "").shown(limit: 2000))]
        case "error":
            lastError = line.message
            return [.log("error: " + (line.message ?? "").shown(limit: 2000))]
        default: return []
        }
    }

    private mutating func read(_ item: Item, percent: Int) -> [EngineEvent] {
        switch item.type {
        case "agent_message":
            message = (item.text ?? "").shown(limit: 4000)
            return [.progress(step: "The assistant reports", percent: percent), .log(message)]
        case "reasoning":
            return [
                .progress(step: "The assistant thinks", percent: percent), .log((item.text ?? "").shown(limit: 2000)),
            ]
        case "file_change":
            let changes = (item.changes ?? []).prefix(50)
            let prefix = SandboxPlan.workspacePath + "/"
            let names = changes.map { $0.path.hasPrefix(prefix) ? String($0.path.dropFirst(prefix.count)) : $0.path }
            let step = names.count == 1 ? "Changed \(names[0].shown(limit: 100))" : "Changed \(names.count) files"
            let log = zip(changes, names).map { "\($0.kind) \($1)" }.joined(separator: "\n")
            return [.progress(step: step, percent: percent), .log(log.shown(limit: 4000))]
        case "command_execution":
            let code = item.exit_code.map { " (exit \($0))" } ?? ""
            return [
                .progress(step: "Ran a command", percent: percent),
                .log("$ \((item.command ?? "").shown(limit: 1000))\(code)"),
            ]
        case "error":
            let text = item.message ?? ""
            if text.hasPrefix("Model metadata for") { isModelUnknown = true }
            return [.log("warning: " + text.shown(limit: 2000))]
        default: return [.progress(step: "The assistant works", percent: percent)]
        }
    }

    mutating func judge(_ outcome: SandboxOutcome) -> EngineVerdict {
        if case .exceeded(.wallTime) = outcome.ending, items == 0, !isTurnCompleted {
            // It waits for ever when a model accepts the request and never answers.
            return .failed(
                JobFailure(
                    kind: .infrastructure, code: "model-timeout",
                    message: "The model did not answer within \(limits.wallTime.inWords)."))
        }
        if case .exceeded(.wallTime) = outcome.ending, let lastError, !isTurnCompleted {
            // The time went by while it asked again and again: not the edit was too large.
            return .failed(CodexFailure.classify(lastError))
        }
        if let failure = JobFailure.stopped(outcome, limits: limits) { return .failed(failure) }
        guard case .exited(let code) = outcome.ending else {
            preconditionFailure("every other ending is a failure")
        }
        if let failure { return .failed(CodexFailure.classify(failure)) }
        if code == 0 && isTurnCompleted {
            // Without knowing the model it offers no tool that edits, says "done" and exits with 0.
            if isModelUnknown {
                return .failed(
                    JobFailure(
                        kind: .task, code: "engine-misconfigured",
                        message: "Codex does not know the model \(model), so it cannot change files. "
                            + "An administrator has to choose a model of its catalogue."))
            }
            return .finished(summary: message)
        }
        return .failed(
            CodexFailure.withoutEvent(code: code, hasPrinted: hasPrinted, lastError: lastError, outcome: outcome))
    }
}
