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

    package var host: HostID? { job.grant?.host }
}
