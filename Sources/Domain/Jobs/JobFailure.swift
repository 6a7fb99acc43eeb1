/// Why a job did not succeed, for a person.
package struct JobFailure: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The request cannot be done: the engine said so, or the result was refused.
        case task
        /// The machinery broke: the host died, a disk was full, a model was out of reach. Worth another attempt.
        case infrastructure
    }

    package let kind: Kind
    /// Stable, such as `engine-failed`, `validation-failed`, `time-limit`.
    package let code: String
    /// A sentence that a non-programmer understands.
    package let message: String

    package init(kind: Kind, code: String, message: String) {
        self.kind = kind
        self.code = code
        self.message = message
    }
}
