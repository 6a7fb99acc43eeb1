/// One request of a conversation and what came of it.
package struct ConversationTurn: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        case version(VersionNumber)
        /// It was a question: the answer is a plan.
        case plan
        case failed(String)
        case cancelled
        /// Not over yet.
        case open
    }

    package let prompt: String
    /// What the engine said.
    package let answer: String
    package let outcome: Outcome

    package init(prompt: String, answer: String, outcome: Outcome) {
        self.prompt = prompt
        self.answer = answer
        self.outcome = outcome
    }
}
