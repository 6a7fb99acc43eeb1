import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// An error as its reader sees it: a problem document (RFC 9457).
struct Problem: Error, Sendable {
    static let mediaType = "application/problem+json"

    let status: HTTPResponse.Status
    /// The stable end of `type`, such as `not-found`.
    let code: String
    let title: String
    let detail: String
    var field: String?
    var rule: String?
    var nextStep: String?
    var retryAfter: Duration?
    var findings: [Finding] = []
    /// For 405.
    var allowed: [HTTPRequest.Method] = []

    init(status: HTTPResponse.Status, code: String, title: String, detail: String) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
    }

    /// Says of an internal error nothing but that it was one: what it has to tell is for the log.
    init(_ error: ServiceError) {
        self.init(
            status: error.code.status, code: error.code.rawValue, title: error.code.title,
            detail: error.code == .internalError
                ? "The server could not do this. It is not your fault." : Self.sentence(error.message))
        guard error.code != .internalError else {
            nextStep = "Try again; if it stays so, tell an operator the request_id."
            return
        }
        field = error.field
        rule = error.rule
        // Which disk is full is the operator's business.
        nextStep = error.code == .storageFull ? "Ask an operator to make room, then try again." : error.nextStep
        retryAfter = error.retryAfter
        findings = error.findings
    }

    func response(requestID: String) -> Response {
        var response = Response.json(json(requestID: requestID), status: status, type: Self.mediaType)
        if let retryAfter, let name = HTTPField.Name("Retry-After") {
            response.headers[name] = String(max(1, retryAfter.components.seconds))
        }
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        if !allowed.isEmpty {
            response.headers[.allow] = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        }
        return response
    }

    private func json(requestID: String) -> JSONValue {
        var members = [
            JSONValue.Member(name: "type", value: .string("urn:pagewright:problem:\(code)")),
            JSONValue.Member(name: "title", value: .string(title)),
            JSONValue.Member(name: "status", value: .integer(Int64(status.code))),
            JSONValue.Member(name: "detail", value: .string(detail)),
            JSONValue.Member(name: "request_id", value: .string(requestID)),
        ]
        for (name, value) in [("field", field), ("rule", rule), ("next_step", nextStep)] {
            if let value { members.append(JSONValue.Member(name: name, value: .string(value))) }
        }
        if !findings.isEmpty {
            members.append(JSONValue.Member(name: "findings", value: .array(findings.map(FindingBody.table.json))))
        }
        return .object(members)
    }

    static let schema = JSONSchema.named(
        "Problem",
        .object([
            .init("type", .text, "Stable: urn:pagewright:problem: and a code."),
            .init("title", .text), .init("status", .count),
            .init("detail", .text, "What was wrong in this case, for a person."),
            .init("request_id", .text, "What an operator finds in the log."),
            .init("field", .text, isRequired: false, "The input that was wrong."),
            .init("rule", .text, isRequired: false, "Stable: the rule that the input broke."),
            .init("next_step", .text, isRequired: false, "What to do next."),
            .init("findings", .array(FindingBody.table.schema), isRequired: false),
        ]))

    /// Begins with a capital and ends with a full stop.
    private static func sentence(_ message: String) -> String {
        let text = message.prefix(1).uppercased() + message.dropFirst()
        return text.hasSuffix(".") || text.hasSuffix("…") ? text : text + "."
    }
}
