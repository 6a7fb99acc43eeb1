package import Domain

/// A job as its owner sees it.
package struct JobView: Sendable {
    package let job: Job
    package let edit: Edit?
    /// Why it waits; `nil` when it does not.
    package let wait: JobWait?
    package let summary: String
    package let findings: [Finding]
    package let usage: TokenUsage
    /// What became of the files that it made; `nil` before that is known.
    package let review: ChangeReview?
    /// The model that was or is asked; empty when none is, or when the worker chose it.
    package let model: String
    /// Whether its answers came from the cache or a transcript, so that no token was used.
    package let isFromCache: Bool

    package var host: HostID? { job.grant?.host }
}
