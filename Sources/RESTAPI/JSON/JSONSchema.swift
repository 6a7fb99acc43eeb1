/// What a JSON value looks like: checked in requests, and written into the OpenAPI document.
indirect enum JSONSchema: Sendable {
    struct Property: Sendable {
        let name: String
        let schema: JSONSchema
        let isRequired: Bool
        let description: String

        init(_ name: String, _ schema: JSONSchema, isRequired: Bool = true, _ description: String = "") {
            self.name = name
            self.schema = schema
            self.isRequired = isRequired
            self.description = description
        }
    }

    /// Text; `format` and `choices` document what the domain checks.
    case string(format: String?, choices: [String])
    case integer(minimum: Int64?)
    case boolean
    case array(JSONSchema)
    /// A list of such values, or one of them by itself.
    case oneOrMany(JSONSchema)
    /// An object with these properties and no others.
    case object([Property])
    case nullable(JSONSchema)
    /// A schema with a name of its own among the components.
    case named(String, JSONSchema)

    static let text = JSONSchema.string(format: nil, choices: [])
    static let time = JSONSchema.string(format: "date-time", choices: [])
    static let count = JSONSchema.integer(minimum: 0)
    static let version = JSONSchema.integer(minimum: 1)

    static func words(_ choices: [String]) -> JSONSchema { .string(format: nil, choices: choices) }

    /// A value that may be left out, or be null.
    static func optional(_ name: String, _ schema: JSONSchema, _ description: String = "") -> Property {
        Property(name, .nullable(schema), isRequired: false, description)
    }
}
