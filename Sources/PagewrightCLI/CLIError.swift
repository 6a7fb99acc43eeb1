import Foundation

/// What went wrong, for the person at the keyboard: a sentence, what to do next, and how to find it in the logs.
struct CLIError: Error, Equatable {
    let status: ExitStatus
    /// Without a full stop or with one; it is printed as it is.
    let sentence: String
    var nextStep: String?
    var findings: [FindingBody] = []
    var requestID: String?
    /// What was broken, such as `checks-running`, when the coordinator refused.
    var rule: String?
    /// The problem document, byte for byte, when the coordinator sent one.
    var document: Data?

    init(
        _ status: ExitStatus, _ sentence: String, nextStep: String? = nil, findings: [FindingBody] = [],
        requestID: String? = nil, rule: String? = nil, document: Data? = nil
    ) {
        self.status = status
        self.sentence = sentence
        self.nextStep = nextStep
        self.findings = findings
        self.requestID = requestID
        self.rule = rule
        self.document = document
    }

    /// The lines for a person.
    var lines: [String] {
        var lines = ["error: \(sentence)"]
        lines += findings.map { "  \($0.line)" }
        if let nextStep { lines.append("  next: \(nextStep)") }
        if let requestID { lines.append("  request: \(requestID)") }
        return lines
    }

    /// One line of JSON: the coordinator's problem document, or one of the same shape.
    var json: Data {
        if let document { return document }
        var fields: [String: Any] = [
            "type": "urn:pagewright:cli:\(status)", "title": "\(status)", "detail": sentence,
        ]
        if let nextStep { fields["next_step"] = nextStep }
        if let requestID { fields["request_id"] = requestID }
        let data = try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes])
        return data ?? Data("{}".utf8)
    }
}
