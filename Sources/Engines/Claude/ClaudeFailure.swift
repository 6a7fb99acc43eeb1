import Domain
import Sandbox

/// What a failed run of Claude Code means. Neither its exit code nor its `subtype` says so; the kind of the API's error
/// and the reason of the end do.
enum ClaudeFailure {
    static func classify(
        result: JSONNode?, apiError: (kind: String, status: Int?, text: String)?, code: Int, hasPrinted: Bool,
        outcome: SandboxOutcome
    ) -> JobFailure {
        let reason = result?["terminal_reason"]?.string ?? ""
        switch (result?["subtype"]?.string ?? "", reason) {
        case ("error_max_turns", _), (_, "max_turns"): return .modelTurns
        case ("error_max_budget_usd", _), (_, "budget_exhausted"): return .modelBudget
        case (_, "prompt_too_long"): return .modelContext
        case (_, "aborted_streaming"), (_, "aborted_tools"):
            return JobFailure(
                kind: .infrastructure, code: "engine-killed", message: "The AI engine was interrupted.")
        default: break
        }
        if result?["stop_reason"]?.string == "refusal" { return .modelRefused }
        if let apiError {
            return classify(
                apiError.kind, status: apiError.status ?? result?["api_error_status"]?.integer, text: apiError.text)
        }
        let diagnostics = outcome.diagnostics
        if diagnostics.contains("No conversation found with session ID") { return .engineForgot }
        if code >= 128 {
            return JobFailure(
                kind: .infrastructure, code: "engine-killed",
                message: "The AI engine was killed by signal \(code - 128).")
        }
        let said =
            result?["result"]?.string?.shown(limit: 500)
            ?? diagnostics.split(separator: "\n").last.map { String($0).shown(limit: 500) } ?? ""
        let detail = said.isEmpty ? "." : ": \(said)"
        if !hasPrinted {
            return JobFailure(
                kind: .task, code: "engine-misconfigured",
                message: "The AI engine could not be used\(detail) Tell an administrator.")
        }
        return JobFailure(
            kind: .task, code: "engine-failed", message: "The AI engine ended before it was done\(detail)")
    }

    private static func classify(_ kind: String, status: Int?, text: String) -> JobFailure {
        let said = text.lowercased()
        if kind == "billing_error" || said.contains("credit balance") { return .modelQuota }
        if said.contains("prompt is too long") || status == 413 { return .modelContext }
        if kind == "max_output_tokens" { return .modelIncomplete }
        // It says so of a proxy's page, and of anything else that is no answer.
        if said.contains("malformed response") { return .modelGarbage(text) }
        if said.contains("timed out") || said.contains("idle timeout") { return .modelTimeout }
        if let status {
            switch status {
            case 401, 403: return .modelCredentials
            case 404: return .modelUnknown
            case 408, 429, 500...599: return .modelUnavailable("status \(status)")
            default: return .modelBadRequest(text)
            }
        }
        switch kind {
        case "authentication_failed": return .modelCredentials
        case "model_not_found": return .modelUnknown
        case "rate_limit", "server_error", "overloaded": return .modelUnavailable(text)
        case "invalid_request" where said.contains("refus") || said.contains("unable to respond"): return .modelRefused
        case "invalid_request", "unknown": return .modelBadRequest(text)
        default: return JobFailure(kind: .task, code: "engine-failed", message: "The AI engine failed: \(text)")
        }
    }
}
