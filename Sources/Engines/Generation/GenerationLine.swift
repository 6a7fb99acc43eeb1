import Domain

/// A step of a generation in a line of the generator's output.
struct GenerationLine: Codable, Equatable {
    let name: GenerationStep.Name
    let page: String
    let round: Int
    let input: String
    let output: String
    let uncachedInputTokens: Int
    let cachedInputTokens: Int
    let outputTokens: Int
    let milliseconds: Int

    init(_ step: GenerationStep) {
        name = step.name
        page = step.page
        round = step.round
        input = step.input
        output = step.output
        uncachedInputTokens = step.usage.uncachedInput
        cachedInputTokens = step.usage.cachedInput
        outputTokens = step.usage.output
        milliseconds = step.milliseconds
    }

    /// `nil` when a number or a length is out of bounds.
    var step: GenerationStep? {
        guard page.utf8.count <= 128, (0...GenerationPipeline.maximumRepairs).contains(round),
            input.utf8.count <= GenerationStep.textLimit, output.utf8.count <= GenerationStep.textLimit,
            [uncachedInputTokens, cachedInputTokens, outputTokens, milliseconds].allSatisfy({
                (0..<1 << 40).contains($0)
            })
        else { return nil }
        return GenerationStep(
            name: name, page: page, round: round, input: input, output: output,
            usage: TokenUsage(
                uncachedInput: uncachedInputTokens, cachedInput: cachedInputTokens, output: outputTokens),
            milliseconds: milliseconds)
    }
}
