import Domain

/// The fields of a form or of a query (`application/x-www-form-urlencoded`). Of a name that is there twice, `[]` gives
/// the first value.
struct FormFields: Sendable {
    private let fields: [(name: String, value: String)]

    static let empty = FormFields([])

    init(_ fields: [(name: String, value: String)]) { self.fields = fields }

    /// Throws `invalidArgument` for what is not encoded properly.
    init(encoded text: String) throws {
        fields = try text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.replacing("+", with: " ")
            }
            guard let name = String(parts[0]).removingPercents,
                let value = parts.count > 1 ? String(parts[1]).removingPercents : ""
            else { throw ServiceError(.invalidArgument, "the form is not encoded properly", rule: "form-encoding") }
            return (name, value)
        }
    }

    subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// The text without white space at its ends; empty when the field is missing.
    func text(_ name: String) -> String { self[name]?.trimmed ?? "" }

    func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
}
