/// Which program edits the site.
package enum EngineName: String, Sendable, Hashable, CaseIterable {
    /// Deterministic, no AI; understands a small documented set of requests.
    case builtin
    /// The Codex CLI.
    case codex

    package init(named text: String) throws(ServiceError) {
        guard let value = Self(rawValue: text) else {
            throw ServiceError(
                .invalidArgument, "there is no engine \"\(text.prefix(64))\"", field: "engine", rule: "engine-known",
                nextStep: "Choose one of: " + Self.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        self = value
    }
}
