package import Domain

/// A job and what is known of its result.
package struct JobRecord: Sendable, Equatable {
    package var job: Job
    /// What the engine said that it did.
    package var summary: String
    /// What the checks said of its result.
    package var findings: [Finding]
    package var usage: TokenUsage

    package init(job: Job, summary: String = "", findings: [Finding] = [], usage: TokenUsage = .zero) {
        self.job = job
        self.summary = summary
        self.findings = findings
        self.usage = usage
    }
}
