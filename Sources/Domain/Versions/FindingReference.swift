/// Names findings of a refused change, for their acceptance: a rule, and the file that it is about.
package struct FindingReference: Hashable, Sendable, CustomStringConvertible {
    package let rule: String
    /// Empty for the whole site.
    package let path: String

    package init(rule: String, path: String) {
        self.rule = rule
        self.path = path
    }

    package init(to finding: Finding) { self.init(rule: finding.rule, path: finding.path) }

    /// Reads `rule:path`, or `rule` alone for a finding about the whole site.
    package init(_ text: String) throws(ServiceError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let rule = parts[0].trimmed
        guard !rule.isEmpty, text.utf8.count <= 5000,
            rule.utf8.allSatisfy({ (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d })
        else {
            throw ServiceError(
                .invalidArgument, "\"\(text.prefix(64))\" does not name a finding", field: "findings",
                rule: "finding-format", nextStep: "Write rule:path, for example heading-lost:index.html.")
        }
        self.init(rule: rule, path: parts.count == 2 ? String(parts[1]) : "")
    }

    /// `*` stands for every path.
    package func names(_ finding: Finding) -> Bool {
        finding.rule == rule && (finding.path == path || path == "*")
    }

    package var description: String { path.isEmpty ? rule : "\(rule):\(path)" }
}
