/// What an admin decides about one engine. Without the key, so that it can be shown.
package struct EngineSetting: Sendable, Equatable {
    package let engine: EngineName
    package var isEnabled: Bool
    package var provider: ModelEndpoint.Provider
    package var baseURL: String
    /// For small requests; `nil` is the large one.
    package var smallModel: String?
    package var largeModel: String
    /// How long the model may be silent.
    package var answerTimeout: Duration
    /// Of a whole attempt.
    package var timeLimit: Duration
    package var prices: TokenPrices
    /// The last four characters of the key, so that a person knows which it is; `nil` when there is none.
    package var keyHint: String?
    package var updatedAt: Timestamp

    package init(
        engine: EngineName, isEnabled: Bool, provider: ModelEndpoint.Provider, baseURL: String, smallModel: String?,
        largeModel: String, answerTimeout: Duration = .seconds(120), timeLimit: Duration = .seconds(600),
        prices: TokenPrices = .unknown, keyHint: String? = nil, updatedAt: Timestamp
    ) {
        self.engine = engine
        self.isEnabled = isEnabled
        self.provider = provider
        self.baseURL = baseURL
        self.smallModel = smallModel
        self.largeModel = largeModel
        self.answerTimeout = answerTimeout
        self.timeLimit = timeLimit
        self.prices = prices
        self.keyHint = keyHint
        self.updatedAt = updatedAt
    }

    /// The model for a request.
    package func model(for prompt: Prompt) -> String {
        TaskSize(of: prompt) == .small ? smallModel ?? largeModel : largeModel
    }

    /// A key as providers give them out: printable, without spaces. It becomes the value of a header.
    package static func checkedKey(_ text: String) throws(ServiceError) -> String {
        let key = text.trimmed
        guard (1...1000).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw ServiceError(
                .invalidArgument, "the key has characters that no key has, or is too long", field: "key",
                rule: "key-format", nextStep: "Copy it once more from the provider's page, without spaces.")
        }
        return key
    }

    /// What of a key may be shown: its end, when enough of it stays hidden.
    package static func hint(of key: String) -> String { key.count >= 12 ? "…" + key.suffix(4) : "…" }
}
