import Domain
import Sandbox

/// What a failed Codex run means. Its exit code says nothing more than that; the text of the last error does.
enum CodexFailure {
    /// From the message of `turn.failed`.
    static func classify(_ text: String) -> JobFailure {
        func contains(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
        if contains("ran out of room") {
            return task(
                "model-context", "The request and the files are too large for the model. Ask for a smaller change.")
        }
        if contains("usage limit", "Quota exceeded") {
            return task("model-quota", "The quota of the AI model is used up. An administrator has to raise it.")
        }
        if contains("status 401", "status 403", "Missing environment variable") {
            return task(
                "model-credentials", "The AI model refused our credentials. An administrator has to renew them.")
        }
        if contains("status 404") {
            return task(
                "model-unknown", "The AI service does not know the model that is configured. Tell an administrator.")
        }
        if text.hasPrefix("{\"error\"") {
            return task("model-bad-request", "The AI service refused the request: \(text.shown(limit: 500))")
        }
        if contains("Incomplete response") {
            return task("model-incomplete", "The answer of the model was cut off. Ask for a smaller change.")
        }
        if contains("429", "high demand", "at capacity", "stream disconnected", "status 5") {
            return JobFailure(
                kind: .infrastructure, code: "model-unavailable",
                message: "The AI model cannot be reached or is overloaded: \(text.shown(limit: 500))")
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
