package import Domain
package import Persistence

/// A generation as its owner sees it.
package struct GenerationView: Sendable {
    package let generation: Generation
    package let state: Generation.State
    /// The newest of its jobs.
    package let job: JobView
    /// What was done, in that order.
    package let steps: [GenerationStepRecord]

    /// What every step together used of a model.
    package var usage: TokenUsage { steps.reduce(.zero) { $0 + $1.step.usage } }

    /// What is going on, in a sentence.
    package var message: String {
        switch state {
        case .queued: job.wait?.message ?? "It waits for a worker."
        case .working: job.job.step.isEmpty ? "A worker makes it." : job.job.step
        case .waitingForPlan: "The plan is ready and waits for you: look at it, change it, then continue."
        case .done: "The site is in its preview."
        case .failed: job.job.failureMessage ?? "It failed. Continue to go on from what was done."
        case .cancelled: "It was stopped. Continue to go on from what was done."
        }
    }
}

extension Job {
    fileprivate var failureMessage: String? {
        switch state {
        case .failed(let failure), .dead(let failure): failure.message
        case .queued, .ready, .leased, .succeeded, .answered, .cancelled: nil
        }
    }
}
