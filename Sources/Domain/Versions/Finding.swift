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
    /// What was there and what is there now, shortened; empty when the finding is not about a change.
    package let before: String
    package let after: String
    /// What a person can do, as a sentence; empty when the message says it.
    package let advice: String

    package init(
        severity: Severity, rule: String, path: String, subject: String = "", message: String, before: String = "",
        after: String = "", advice: String = ""
    ) {
        self.severity = severity
        self.rule = rule
        self.path = path
        self.subject = subject
        self.message = message
        self.before = before
        self.after = after
        self.advice = advice
    }

    /// The same finding, as heavy as this.
    package func rated(_ severity: Severity) -> Finding {
        Finding(
            severity: severity, rule: rule, path: path, subject: subject, message: message, before: before,
            after: after, advice: advice)
    }

    /// The same finding, as a warning.
    package var asWarning: Finding { rated(.warning) }

    /// What makes two findings the same one, whatever their severity and wording.
    package struct Key: Hashable, Sendable {
        package let rule: String
        package let path: String
        package let subject: String
    }

    package var key: Key { Key(rule: rule, path: path, subject: subject) }
}
