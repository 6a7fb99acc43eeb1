import Domain

/// Why a model gave no answer.
struct ModelFailure: Error, Sendable, Equatable {
    let failure: JobFailure
    /// Whether to ask once more at once makes sense, and after how many seconds at least.
    let retryAfter: Int?

    init(_ failure: JobFailure, retryAfter: Int? = nil) {
        self.failure = failure
        self.retryAfter = retryAfter
    }

    /// It answered with something else than an answer.
    static func garbage(_ what: String) -> ModelFailure {
        ModelFailure(.modelGarbage(what))
    }

    static func unavailable(_ what: String, retryAfter: Int? = 1) -> ModelFailure {
        ModelFailure(.modelUnavailable(what.shown(limit: 300)), retryAfter: retryAfter)
    }

    /// From an answer whose status is not 200.
    init(status: Int, body: String, retryAfter: Int?) {
        let error = JSONNode(parsing: body)?["error"]
        let message = (error?["message"]?.string ?? body).shown(limit: 300)
        self.init(
            status: status, code: error?["code"]?.string ?? error?["type"]?.string ?? "", message: message,
            retryAfter: retryAfter)
    }

    /// From an error within a stream, which has no status of its own.
    init(code: String, message: String) {
        self.init(status: 0, code: code, message: message.shown(limit: 300), retryAfter: nil)
    }

    private init(status: Int, code: String, message: String, retryAfter: Int?) {
        let text = (code + " " + message).lowercased()
        func says(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
        if says("context_length", "prompt is too long", "maximum context", "context window") || status == 413 {
            self.init(.modelContext)
        } else if says("insufficient_quota", "credit balance", "usage_limit", "billing") || status == 402 {
            self.init(.modelQuota)
        } else {
            switch status {
            case 401, 403: self.init(.modelCredentials)
            case 404: self.init(.modelUnknown)
            case 408, 425, 429, 500...599:
                self.init(
                    .modelUnavailable("status \(status)\(message.isEmpty ? "" : ": " + message)"),
                    retryAfter: max(1, retryAfter ?? 1))
            case 0 where says("invalid_prompt", "invalid_request"), 300...499:
                self.init(.modelBadRequest(message))
            case 0: self.init(.modelUnavailable(message), retryAfter: 1)
            default: self = .garbage("status \(status)")
            }
        }
    }
}
