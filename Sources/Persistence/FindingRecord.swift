import Database
import Domain
import FoundationEssentials

/// Findings as JSON text in a column.
struct FindingRecord: Codable {
    var severity: String
    var rule: String
    var path: String
    var subject: String
    var message: String
    // Rows from before there were these have none; empty ones are not written.
    var before: String?
    var after: String?
    var advice: String?

    /// What most jobs and versions have.
    private static let none = "[]"

    static func text(of findings: [Finding]) throws -> String {
        if findings.isEmpty { return none }
        let records = findings.map {
            FindingRecord(
                severity: $0.severity.rawValue, rule: $0.rule, path: $0.path, subject: $0.subject, message: $0.message,
                before: $0.before.isEmpty ? nil : $0.before, after: $0.after.isEmpty ? nil : $0.after,
                advice: $0.advice.isEmpty ? nil : $0.advice)
        }
        return String(decoding: try JSONEncoder().encode(records), as: UTF8.self)
    }

    static func findings(in text: String) throws -> [Finding] {
        if text == none { return [] }
        do {
            return try JSONDecoder().decode([FindingRecord].self, from: Data(text.utf8)).map { record in
                Finding(
                    severity: Finding.Severity(rawValue: record.severity) ?? .warning, rule: record.rule,
                    path: record.path, subject: record.subject, message: record.message,
                    before: record.before ?? "", after: record.after ?? "", advice: record.advice ?? "")
            }
        } catch {
            throw SQLError(.badRow, "findings are no list of findings: \(error)")
        }
    }
}
