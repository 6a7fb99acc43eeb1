import BlockingIO
import Domain
import Synchronization

/// Asks a model for every step, with the step's schema; several pages at once, each on a thread of its own.
struct AskedStepModel: StepModel {
    let title: String
    private let request: ModelRequest
    private let provider: ModelEndpoint.Provider
    private let pool = BlockingPool(label: "pagewright.steps", width: 8)
    /// Of all steps; the budget of tokens is for all of them together.
    private let used = Mutexed()

    private final class Mutexed: Sendable {
        let tokens = Mutex(0)
    }

    /// - Parameter request: how to reach the model; prompt and schema come with each question.
    /// - Throws: when the provider is unknown.
    init(_ request: ModelRequest) throws(ModelFailure) {
        guard let provider = ModelEndpoint.Provider(rawValue: request.provider) else {
            throw ModelFailure.garbage("a provider that is unknown here")
        }
        self.request = request
        self.provider = provider
        title = "model \(request.model)"
    }

    func answer(_ question: StepQuestion) async throws -> StepAnswer {
        var asked = request
        asked.prompt = Self.prompt(question)
        asked.schema = question.schema
        if let budget = request.tokenBudget {
            let left = budget - used.tokens.withLock { $0 }
            guard left > 0 else { throw ModelFailure(.modelBudget) }
            asked.tokenBudget = left
        }
        let (request, provider) = (asked, provider)
        let answer = try await pool.run {
            var usage = TokenUsage.zero
            let emit: (ModelEvent) -> Void = { event in
                if case .usage(let sum) = event { usage = sum }
            }
            var transcript = ModelTranscript()
            let ask = ModelEngineProcess.client(of: request, provider: provider, emit: emit)
            let output = try ModelLoop(request: request, ask: ask, emit: emit).run(in: ".", transcript: &transcript)
            return StepAnswer(output: output, usage: usage)
        }
        used.tokens.withLock { $0 += answer.usage.total }
        return answer
    }

    private static func prompt(_ question: StepQuestion) -> String {
        var prompt = question.instructions + "\n\nThe input, as JSON:\n" + question.input
        if let complaint = question.complaint {
            prompt += "\n\nThe answer before could not be used: \(complaint). Answer again."
        }
        return prompt
    }
}
