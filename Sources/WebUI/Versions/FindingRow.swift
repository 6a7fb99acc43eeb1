import Domain

/// What a check noticed, as a line.
enum FindingRow {
    static func values(_ finding: Finding) -> [String: Any] {
        [
            "message": finding.message, "isError": finding.severity == .error, "rule": finding.rule,
            "file": finding.path, "hasFile": !finding.path.isEmpty,
        ]
    }
}
