/// Which program edits the site.
package enum EngineName: String, Sendable, Hashable, CaseIterable {
    /// Deterministic, no AI; understands a small documented set of requests.
    case builtin
    /// The Codex CLI.
    case codex
    /// The Claude Code CLI.
    case claude
    /// Our own loop over a model's HTTP API.
    case model

    package init(named text: String) throws(ServiceError) {
        guard let value = Self(rawValue: text) else {
            throw ServiceError(
                .invalidArgument, "there is no engine \"\(text.prefix(64))\"", field: "engine", rule: "engine-known",
                nextStep: "Choose one of: " + Self.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        self = value
    }

    /// Whether it asks a model, which costs tokens.
    package var asksModel: Bool { self != .builtin }

    /// The protocols that it can speak to a model's provider; the first is meant when none is named.
    package var providers: [ModelEndpoint.Provider] {
        switch self {
        case .builtin: []
        case .codex: [.openAIResponses]
        case .claude: [.anthropicMessages]
        case .model: [.openAIResponses, .openAIChat, .anthropicMessages]
        }
    }
}
