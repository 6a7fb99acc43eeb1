import Domain
import Sandbox

/// What a failed Codex run means. Its exit code says nothing more than that; the text of the last error does.
enum CodexFailure {
    /// From the message of `turn.failed`.
    static func classify(_ text: String) -> JobFailure {
        func contains(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
        // In its own words, and in those of providers that answer 400 or 413 instead of saying it within the stream.
        if contains("ran out of room", "context_length", "context window", "maximum context", "prompt is too long")
            || contains("status 413")
        {
            return .modelContext
        }
        if contains("usage limit", "Quota exceeded") { return .modelQuota }
        if contains("status 401", "status 403", "Missing environment variable") { return .modelCredentials }
        if contains("status 404") { return .modelUnknown }
        if contains("Invalid prompt", "usage policy", "flagged as") { return .modelRefused }
        if text.hasPrefix("{\"error\"") { return .modelBadRequest(text.shown(limit: 500)) }
        if contains("Incomplete response") { return .modelIncomplete }
        if contains("idle timeout") { return .modelTimeout }
        if contains("429", "high demand", "at capacity", "stream disconnected", "status 5") {
            return .modelUnavailable(text.shown(limit: 500))
        }
        return task("engine-failed", "The AI engine failed: \(text.shown(limit: 500))")
    }

    /// It ended without saying that its turn failed.
    static func withoutEvent(code: Int, hasPrinted: Bool, lastError: String?, outcome: SandboxOutcome) -> JobFailure {
        if code >= 128 {
            return JobFailure(
                kind: .infrastructure, code: "engine-killed",
                message: "The AI engine was killed by signal \(code - 128).")
        }
        if let lastError { return classify(lastError) }
        if outcome.diagnostics.contains("no rollout found") || outcome.diagnostics.contains("thread/resume failed") {
            return .engineForgot
        }
        let reason = outcome.diagnostics.split(separator: "\n").last.map { ": " + String($0).shown(limit: 500) } ?? "."
        if !hasPrinted {
            return task("engine-misconfigured", "The AI engine could not be used\(reason) Tell an administrator.")
        }
        return task("engine-failed", "The AI engine ended before it was done\(reason)")
    }

    private static func task(_ code: String, _ message: String) -> JobFailure {
        JobFailure(kind: .task, code: code, message: message)
    }
}

extension JobFailure {
    /// The engine was to go on with a conversation that it does not know: the next attempt begins a new one.
    static let engineForgot = JobFailure(
        kind: .infrastructure, code: "engine-forgot",
        message: "The AI engine does not know the conversation any more; it is tried again without it.")
}
