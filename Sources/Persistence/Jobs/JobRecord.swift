package import Domain

/// A job and what is known of its result.
package struct JobRecord: Sendable, Equatable {
    package var job: Job
    /// What the engine said that it did.
    package var summary: String
    /// What the checks said of its result.
    package var findings: [Finding]
    package var usage: TokenUsage
    /// The model that the attempt granted last was told to ask; empty when none was.
    package var model: String
    /// Whether the answers came from the cache or from a transcript, so that no token was used.
    package var isFromCache: Bool
    /// ``JobFailure/mark`` of every attempt that failed and was tried again.
    package var failureMarks: [String]

    package init(
        job: Job, summary: String = "", findings: [Finding] = [], usage: TokenUsage = .zero,
        model: String = "", isFromCache: Bool = false, failureMarks: [String] = []
    ) {
        self.job = job
        self.summary = summary
        self.findings = findings
        self.usage = usage
        self.model = model
        self.isFromCache = isFromCache
        self.failureMarks = failureMarks
    }
}
