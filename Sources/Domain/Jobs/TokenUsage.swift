/// What an attempt used of a model, in tokens.
package struct TokenUsage: Sendable, Equatable {
    package var uncachedInput: Int
    package var cachedInput: Int
    package var output: Int
    package static let zero = TokenUsage(uncachedInput: 0, cachedInput: 0, output: 0)

    package init(uncachedInput: Int, cachedInput: Int, output: Int) {
        self.uncachedInput = uncachedInput
        self.cachedInput = cachedInput
        self.output = output
    }

    package static func + (left: Self, right: Self) -> Self {
        Self(
            uncachedInput: left.uncachedInput + right.uncachedInput, cachedInput: left.cachedInput + right.cachedInput,
            output: left.output + right.output)
    }
}
