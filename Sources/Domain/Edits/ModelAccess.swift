/// What one attempt needs to ask a model: where, which, and how much.
package struct ModelAccess: Sendable, Equatable {
    package let endpoint: ModelEndpoint
    /// As the provider calls it, such as `gpt-5.4`.
    package let model: String
    /// How many tokens the attempt may use in all; `nil` is without a limit.
    package let tokenBudget: Int?
    /// How long the model may be silent before it counts as gone.
    package let answerTimeout: Duration

    package init(
        endpoint: ModelEndpoint, model: String, tokenBudget: Int? = nil, answerTimeout: Duration = .seconds(120)
    ) {
        self.endpoint = endpoint
        self.model = model
        self.tokenBudget = tokenBudget
        self.answerTimeout = answerTimeout
    }

    /// A model's name as a provider may call it: it becomes part of settings files and command lines.
    package static func checkedModel(_ text: String, field: String) throws(ServiceError) -> String {
        let name = text.trimmed
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x2f, 0x3a, 0x40, 0x5f: true
            default: false
            }
        }
        guard (1...120).contains(name.utf8.count), isPlain, !name.hasPrefix("-") else {
            throw ServiceError(
                .invalidArgument, "\"\(text.prefix(80))\" cannot be the name of a model", field: field,
                rule: "model-name")
        }
        return name
    }
}
