/// Which program works on the site.
package enum EngineName: String, Sendable, Hashable, CaseIterable {
    /// Those that edit, which are a choice of users; ``browser`` is not among them.
    package static let allCases: [EngineName] = [.builtin, .codex, .claude, .model]

    /// Deterministic, no AI; understands a small documented set of requests.
    case builtin
    /// The Codex CLI.
    case codex
    /// The Claude Code CLI.
    case claude
    /// Our own loop over a model's HTTP API.
    case model
    /// Looks at pages and edits nothing.
    case browser

    package init(named text: String) throws(ServiceError) {
        guard let value = Self(rawValue: text), Self.allCases.contains(value) else {
            throw ServiceError(
                .invalidArgument, "there is no engine \"\(text.prefix(64))\"", field: "engine", rule: "engine-known",
                nextStep: "Choose one of: " + Self.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        self = value
    }

    /// Whether it asks a model, which costs tokens.
    package var asksModel: Bool { !providers.isEmpty }

    /// The protocols that it can speak to a model's provider; the first is meant when none is named.
    package var providers: [ModelEndpoint.Provider] {
        switch self {
        case .builtin, .browser: []
        case .codex: [.openAIResponses]
        case .claude: [.anthropicMessages]
        case .model: [.openAIResponses, .openAIChat, .anthropicMessages]
        }
    }
}
