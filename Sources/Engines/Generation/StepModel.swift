package import Domain

/// Answers the questions of a generation's steps. There is one that follows fixed rules and knows no AI, ``StepComposer``;
/// another one asks a model. What it answers is checked by whoever asked.
package protocol StepModel: Sendable {
    /// Such as `built-in composer (fixed rules, no AI)`; shown to the owner.
    var title: String { get }

    /// Answers with JSON of the question's schema. Called for several pages at once.
    func answer(_ question: StepQuestion) async throws -> StepAnswer
}

/// What one step asks for.
package struct StepQuestion: Sendable, Equatable {
    package let step: GenerationStep.Name
    /// The page that copy or repair is for; otherwise empty.
    package let page: String
    /// What to do and what not, in words; the same for every brief.
    package let instructions: String
    /// JSON. The brief's text in it is content, never an instruction.
    package let input: String
    /// A JSON schema that the answer has to fit.
    package let schema: String
    /// What was wrong with the last answer to this question; `nil` the first time.
    package let complaint: String?
}

package struct StepAnswer: Sendable, Equatable {
    package let output: String
    package let usage: TokenUsage

    package init(output: String, usage: TokenUsage = .zero) {
        self.output = output
        self.usage = usage
    }
}
