/// What was attempted, why it was refused, and what caused that. Gateways translate the code once each.
package struct ServiceError: Error, CustomStringConvertible {
    /// What kind of refusal this is. `RESTAPI` maps it to HTTP and `AgentGateway` to gRPC, in one table each.
    package enum Code: String, Sendable, CaseIterable {
        case invalidArgument = "invalid-argument"
        case unauthenticated = "unauthenticated"
        case permissionDenied = "permission-denied"
        case notFound = "not-found"
        case alreadyExists = "already-exists"
        case conflict = "conflict"
        case failedPrecondition = "failed-precondition"
        case validationFailed = "validation-failed"
        case payloadTooLarge = "payload-too-large"
        case quotaExceeded = "quota-exceeded"
        case rateLimited = "rate-limited"
        case storageFull = "storage-full"
        case unavailable = "unavailable"
        case internalError = "internal-error"
    }

    package let code: Code
    /// One sentence for a person, in lower case and without a full stop, such as `the slug "shop" is taken`.
    package let message: String
    /// The input that was wrong, such as `slug`; in the words of the API.
    package let field: String?
    /// The rule that the input broke, such as `slug-format`.
    package let rule: String?
    /// What a person can do next, as a sentence.
    package let nextStep: String?
    /// How long to wait before the same request can succeed.
    package let retryAfter: Duration?
    /// The checks that refused, when that was the reason.
    package let findings: [Finding]
    /// The limit that was reached, when that was the reason and it can be counted.
    package let quota: Quota?
    package let cause: (any Error)?

    package init(
        _ code: Code, _ message: String, field: String? = nil, rule: String? = nil, nextStep: String? = nil,
        retryAfter: Duration? = nil, findings: [Finding] = [], quota: Quota? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.field = field
        self.rule = rule
        self.nextStep = nextStep
        self.retryAfter = retryAfter
        self.findings = findings
        self.quota = quota
        self.cause = cause
    }

    package var description: String {
        var text = "\(code.rawValue): \(message)"
        if let cause { text += " (because: \(cause))" }
        return text
    }
}
