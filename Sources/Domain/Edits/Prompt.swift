/// What a user asked for, in words: 1 to 20,000 characters that are not all white space.
package struct Prompt: Sendable, Hashable, CustomStringConvertible {
    package static let maximumLength = 20_000
    package let text: String

    package init(_ text: String) throws(ServiceError) {
        let trimmed = text.trimmed
        guard !trimmed.isEmpty else {
            throw ServiceError(
                .invalidArgument, "the prompt is empty", field: "prompt", rule: "prompt-length",
                nextStep: "Say what to change, for example: Change the headline to \"Fresh bread daily\".")
        }
        guard trimmed.count <= Self.maximumLength else {
            throw ServiceError(
                .invalidArgument, "the prompt has more than 20,000 characters", field: "prompt",
                rule: "prompt-length", nextStep: "Split the request into several edits.")
        }
        self.text = trimmed
    }

    package var description: String { text }
}
