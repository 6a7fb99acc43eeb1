import Domain

extension EngineName {
    /// What people call it.
    var title: String {
        switch self {
        case .builtin: "Built-in editor"
        case .codex: "Codex"
        case .claude: "Claude"
        case .model: "AI model"
        case .browser: "Browser"
        }
    }

    /// The same where one of them is chosen.
    var choice: String {
        switch self {
        case .builtin: "No AI, built in"
        case .codex: "Codex (AI)"
        case .claude: "Claude (AI)"
        case .model: "AI model"
        case .browser: "Browser"
        }
    }

    /// The same within a sentence.
    var phrase: String { self == .builtin ? "the built-in editor" : self == .model ? "an AI model" : title }
}
