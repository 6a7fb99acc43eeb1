/// What a check noticed about one file or about the whole site.
package struct Finding: Sendable, Hashable {
    package enum Severity: String, Sendable, CaseIterable { case warning, error }

    package let severity: Severity
    /// Stable, such as `link-broken`.
    package let rule: String
    /// The file that it is about; empty for the whole site.
    package let path: String
    /// What in the file, such as the address of a link; tells two findings of one rule and path apart.
    package let subject: String
    /// A sentence that a non-programmer understands.
    package let message: String

    package init(severity: Severity, rule: String, path: String, subject: String = "", message: String) {
        self.severity = severity
        self.rule = rule
        self.path = path
        self.subject = subject
        self.message = message
    }

    /// The same finding, as a warning.
    package var asWarning: Finding {
        Finding(severity: .warning, rule: rule, path: path, subject: subject, message: message)
    }

    /// What makes two findings the same one, whatever their severity and wording.
    package struct Key: Hashable, Sendable {
        package let rule: String
        package let path: String
        package let subject: String
    }

    package var key: Key { Key(rule: rule, path: path, subject: subject) }
}
