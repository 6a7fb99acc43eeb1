/// What a million tokens cost, in millionths of the installation's currency.
package struct TokenPrices: Sendable, Equatable {
    package var uncachedInput: Int
    package var cachedInput: Int
    package var output: Int
    /// Nothing is known, so nothing costs anything.
    package static let unknown = TokenPrices(uncachedInput: 0, cachedInput: 0, output: 0)

    package init(uncachedInput: Int, cachedInput: Int, output: Int) {
        self.uncachedInput = uncachedInput
        self.cachedInput = cachedInput
        self.output = output
    }

    /// More than anything costs; sums of it still fit into a database.
    private static let most = 1_000_000_000_000

    /// In millionths of the currency, rounded up.
    package func cost(of usage: TokenUsage) -> Int {
        let pairs = [
            (usage.uncachedInput, uncachedInput), (usage.cachedInput, cachedInput), (usage.output, output),
        ]
        var sum = 0
        for (tokens, price) in pairs {
            let (product, overflows) = max(0, tokens).multipliedReportingOverflow(by: max(0, price))
            let (next, carries) = sum.addingReportingOverflow(product)
            if overflows || carries { return Self.most }
            sum = next
        }
        return min(Self.most, sum / 1_000_000 + (sum % 1_000_000 == 0 ? 0 : 1))
    }
}
