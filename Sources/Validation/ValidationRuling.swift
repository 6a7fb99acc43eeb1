package import Domain

/// Where a version comes from, as far as the checks care.
package enum ValidationOrigin: String, Sendable, CaseIterable {
    case template, upload, edit

    package init(_ origin: Version.Origin) {
        switch origin {
        case .template: self = .template
        case .upload: self = .upload
        case .edit: self = .edit
        }
    }
}

/// What follows from findings: a version with errors is refused, one with warnings is stored with them.
package struct ValidationRuling: Sendable, Equatable {
    package let errors: [Finding]
    package let warnings: [Finding]

    package var isAccepted: Bool { errors.isEmpty }

    /// - Hard rules are errors, whatever the origin.
    /// - Breaking rules are errors in templates, and in edits when the parent did not have them. An upload's are
    ///   warnings: that is how the site was, and people come here to have it mended.
    /// - A link or file that the parent already missed anywhere is not a new mistake when one more page names it.
    /// - Advice is always a warning.
    package static func judge(new: [Finding], parent: [Finding]?, origin: ValidationOrigin) -> ValidationRuling {
        let known = Set((parent ?? []).map(\.key))
        let missing = Set((parent ?? []).lazy.filter(\.isAboutTarget).map { "\($0.rule) \($0.subject)" })
        var errors: [Finding] = []
        var warnings: [Finding] = []
        for finding in new {
            let isError =
                switch ValidationRule(rawValue: finding.rule)?.weight {
                case .hard: true
                case .breaking:
                    switch origin {
                    case .template: true
                    case .upload: false
                    case .edit:
                        !known.contains(finding.key)
                            && !(finding.isAboutTarget && missing.contains("\(finding.rule) \(finding.subject)"))
                    }
                case .advice, nil: false
                }
            if isError { errors.append(finding.asError) } else { warnings.append(finding.asWarning) }
        }
        return ValidationRuling(errors: errors, warnings: warnings)
    }
}

extension Finding {
    /// Whether it is about something missing, rather than about the file that it was found in.
    fileprivate var isAboutTarget: Bool {
        rule == ValidationRule.linkBroken.rawValue || rule == ValidationRule.assetMissing.rawValue
    }

    fileprivate var asError: Finding { rated(.error) }
}
