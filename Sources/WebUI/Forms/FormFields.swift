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

    /// All that somebody filled in, in one text; not the secret and the number that the page added.
    var content: String {
        visible.map { "\($0.name.utf8.count):\($0.name)=\($0.value.utf8.count):\($0.value)\n" }.joined()
    }

    /// The same as a form would send it.
    var encoded: String {
        visible.map { "\($0.name.addingPercents())=\($0.value.addingPercents())" }.joined(separator: "&")
    }

    var visible: [(name: String, value: String)] { fields.filter { $0.name != "csrf" && $0.name != FormKey.field } }

    /// Whether something in it is not to be kept, not even as a digest.
    var hasSecret: Bool {
        ["password", "current_password", "key"].contains { !(self[$0] ?? "").isEmpty }
    }

    func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
}
