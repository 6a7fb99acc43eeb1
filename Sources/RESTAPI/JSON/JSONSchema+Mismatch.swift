extension JSONSchema {
    /// Where a value is not as the schema says.
    struct Mismatch: Error, Equatable {
        /// Such as `roles[1]`; empty for the whole.
        let path: String
        /// Stable, such as `type` or `unknown-field`.
        let rule: String
        /// Such as `must be text`.
        let problem: String
    }

    /// Checks types, missing and unknown members. Formats and choices are left to the domain, which words them better,
    /// unless `strictly`.
    func check(_ value: JSONValue, at path: String = "", strictly: Bool = false) throws(Mismatch) {
        switch (self, value) {
        case (.named(_, let schema), _):
            try schema.check(value, at: path, strictly: strictly)
        case (.nullable, .null), (.boolean, .boolean):
            return
        case (.nullable(let schema), _):
            try schema.check(value, at: path, strictly: strictly)
        case (.string(_, let choices), .string(let text)):
            guard strictly, !choices.isEmpty, !choices.contains(text) else { return }
            throw Mismatch(path: path, rule: "choice", problem: "must be one of \(choices)")
        case (.integer(let minimum), .integer(let number)):
            guard strictly, let minimum, number < minimum else { return }
            throw Mismatch(path: path, rule: "minimum", problem: "must be \(minimum) or more")
        case (.array(let schema), .array(let elements)), (.oneOrMany(let schema), .array(let elements)):
            for (index, element) in elements.enumerated() {
                try schema.check(element, at: "\(path)[\(index)]", strictly: strictly)
            }
        case (.oneOrMany(let schema), _):
            try schema.check(value, at: path, strictly: strictly)
        case (.object(let properties), .object(let members)):
            try Self.check(members, against: properties, at: path, strictly: strictly)
        default:
            throw Mismatch(path: path, rule: "type", problem: "must be \(wording)")
        }
    }

    private static func check(
        _ members: [JSONValue.Member], against properties: [Property], at path: String, strictly: Bool
    ) throws(Mismatch) {
        let prefix = path.isEmpty ? "" : path + "."
        for member in members {
            guard let property = properties.first(where: { $0.name == member.name }) else {
                throw Mismatch(
                    path: prefix + String(member.name.prefix(64)), rule: "unknown-field",
                    problem: "is not known here; known are: " + properties.map(\.name).joined(separator: ", "))
            }
            try property.schema.check(member.value, at: prefix + member.name, strictly: strictly)
        }
        for property in properties where property.isRequired && !members.contains(where: { $0.name == property.name }) {
            throw Mismatch(path: prefix + property.name, rule: "required", problem: "is missing")
        }
    }

    private var wording: String {
        switch self {
        case .string: "text"
        case .integer: "a whole number"
        case .boolean: "true or false"
        case .array: "a list"
        case .oneOrMany(let schema): "\(schema.wording), or a list"
        case .object: "an object"
        case .nullable(let schema), .named(_, let schema): schema.wording
        }
    }
}
