import Foundation

/// A problem document (RFC 9457) as the coordinator sends it.
struct APIProblem: Decodable, Sendable {
    var type: String?
    var title: String?
    var status: Int?
    var detail: String?
    var requestID: String?
    var field: String?
    var rule: String?
    var nextStep: String?
    var findings: [FindingBody]?

    enum CodingKeys: String, CodingKey {
        case type, title, status, detail, field, rule, findings
        case requestID = "request_id"
        case nextStep = "next_step"
    }

    /// The error that an answer other than 2xx means.
    static func error(status: Int, requestID: String?, body: Data) -> CLIError {
        let problem = try? JSONDecoder().decode(APIProblem.self, from: body)
        var sentence = problem?.detail ?? problem?.title ?? "the server answered with HTTP status \(status)"
        if let rule = problem?.rule { sentence += " (rule: \(rule))" }
        var nextStep = problem?.nextStep
        if status == 401, nextStep == nil { nextStep = "Log in with: pagewright login." }
        return CLIError(
            status == 401 ? .notLoggedIn : .failed, sentence, nextStep: nextStep, findings: problem?.findings ?? [],
            requestID: problem?.requestID ?? requestID, rule: problem?.rule, document: problem == nil ? nil : body)
    }
}
