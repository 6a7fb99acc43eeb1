/// What an attempt used of a model, in tokens.
package struct TokenUsage: Sendable, Equatable {
    package var uncachedInput: Int
    package var cachedInput: Int
    package var output: Int
    package static let zero = TokenUsage(uncachedInput: 0, cachedInput: 0, output: 0)

    package init(uncachedInput: Int, cachedInput: Int, output: Int) {
        self.uncachedInput = min(max(0, uncachedInput), Self.most)
        self.cachedInput = min(max(0, cachedInput), Self.most)
        self.output = min(max(0, output), Self.most)
    }

    /// More than any job uses, and little enough that sums never overflow: a task can print any number.
    private static let most = 1 << 40

    package var total: Int { uncachedInput + cachedInput + output }

    package static func + (left: Self, right: Self) -> Self {
        Self(
            uncachedInput: left.uncachedInput + right.uncachedInput, cachedInput: left.cachedInput + right.cachedInput,
            output: left.output + right.output)
    }
}
