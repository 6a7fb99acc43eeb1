package import Domain

/// A step of a generation, by which job it was done and when.
package struct GenerationStepRecord: Sendable, Equatable {
    package let step: GenerationStep
    package let job: JobID
    package let doneAt: Timestamp

    package init(step: GenerationStep, job: JobID, doneAt: Timestamp) {
        self.step = step
        self.job = job
        self.doneAt = doneAt
    }
}
