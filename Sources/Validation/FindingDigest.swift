package import Domain

/// Shortens findings for people: a report stays bounded, however broken the site.
package enum FindingDigest {
    package static let standardLimit = 20

    /// Keeps the first `limit` of each rule and severity, errors first, and says how many more there are.
    package static func shortened(_ findings: [Finding], limit: Int = standardLimit) -> [Finding] {
        struct Group: Hashable {
            let isError: Bool
            let rule: String
        }
        var order: [Group] = []
        var groups: [Group: [Finding]] = [:]
        for finding in findings {
            let group = Group(isError: finding.severity == .error, rule: finding.rule)
            if groups[group] == nil { order.append(group) }
            groups[group, default: []].append(finding)
        }
        let sorted = order.filter(\.isError) + order.filter { !$0.isError }
        return sorted.flatMap { group -> [Finding] in
            let all = groups[group] ?? []
            guard all.count > limit else { return all }
            let rest = all.count - limit
            let what =
                ValidationRule(rawValue: group.rule)?.plural ?? GuardRule(rawValue: group.rule)?.plural ?? "of these"
            let more = Finding(
                severity: group.isError ? .error : .warning, rule: group.rule, path: "", subject: "more",
                message: "… and \(rest) more \(what).")
            return all.prefix(limit) + [more]
        }
    }
}
