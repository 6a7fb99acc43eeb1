import Domain

/// The JSON body of a request, checked against the schema of its route.
struct JSONBody: Sendable {
    private let value: JSONValue

    /// Throws `invalidArgument` with the line and column, or with the field, that is wrong. No bytes at all are an
    /// empty object.
    init(_ bytes: [UInt8], schema: JSONSchema) throws(ServiceError) {
        if bytes.isEmpty {
            value = .object([])
        } else {
            do {
                value = try JSONParser.parse(bytes)
            } catch {
                throw ServiceError(
                    .invalidArgument,
                    "the body is not JSON: line \(error.line), column \(error.column): \(error.problem)",
                    rule: "json-syntax")
            }
        }
        do {
            try schema.check(value)
        } catch {
            let subject = error.path.isEmpty ? "the body" : error.path
            throw ServiceError(
                .invalidArgument, "\(subject) \(error.problem)", field: error.path.isEmpty ? nil : error.path,
                rule: error.rule)
        }
    }

    static let empty = JSONBody(value: .object([]))

    private init(value: JSONValue) { self.value = value }

    func string(_ name: String) -> String {
        guard let text = optionalString(name) else { preconditionFailure("the schema has no required text \(name)") }
        return text
    }

    func optionalString(_ name: String) -> String? {
        if case .string(let text) = value[name] { text } else { nil }
    }

    func integer(_ name: String) -> Int {
        guard let number = optionalInteger(name) else {
            preconditionFailure("the schema has no required number \(name)")
        }
        return number
    }

    func optionalInteger(_ name: String) -> Int? {
        if case .integer(let number) = value[name] { Int(number) } else { nil }
    }

    func optionalBoolean(_ name: String) -> Bool? {
        if case .boolean(let value) = value[name] { value } else { nil }
    }

    /// Whether a list was given, be it empty.
    func hasList(_ name: String) -> Bool {
        if case .array = value[name] { true } else { false }
    }

    /// The elements of an array of objects, each of which the schema has checked.
    func objects(_ name: String) -> [JSONBody] {
        guard case .array(let elements) = value[name] else { return [] }
        return elements.map { JSONBody(value: $0) }
    }

    /// The texts of a list; a text by itself is a list of one.
    func strings(_ name: String) -> [String] {
        if let text = optionalString(name) { return [text] }
        guard case .array(let elements) = value[name] else { return [] }
        return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }
}
