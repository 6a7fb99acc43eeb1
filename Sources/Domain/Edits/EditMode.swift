/// What an edit is to come to.
package enum EditMode: String, Sendable, CaseIterable {
    /// A version.
    case change
    /// An answer: what would be done, and which files that would touch. Nothing changes.
    case plan

    package init(named text: String) throws(ServiceError) {
        guard let value = Self(rawValue: text) else {
            throw ServiceError(
                .invalidArgument, "there is no mode \"\(text.prefix(64))\"", field: "mode", rule: "mode-known",
                nextStep: "Choose one of: " + Self.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        self = value
    }
}
