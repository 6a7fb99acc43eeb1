extension JSONSchema {
    /// The schema in the words of JSON Schema 2020-12, as OpenAPI 3.1 wants it. Named schemas become references.
    var openAPI: JSONValue {
        switch self {
        case .string(let format, let choices):
            var members: [JSONValue.Member] = [JSONValue.Member(name: "type", value: "string")]
            if let format { members.append(JSONValue.Member(name: "format", value: .string(format))) }
            if !choices.isEmpty {
                members.append(JSONValue.Member(name: "enum", value: .array(choices.map { .string($0) })))
            }
            return .object(members)
        case .integer(let minimum):
            guard let minimum else { return ["type": "integer"] }
            return ["type": "integer", "minimum": .integer(minimum)]
        case .boolean: return ["type": "boolean"]
        case .array(let schema): return ["type": "array", "items": schema.openAPI]
        case .oneOrMany(let schema):
            return ["anyOf": [schema.openAPI, ["type": "array", "items": schema.openAPI]]]
        case .object(let properties):
            return [
                "type": "object",
                "properties": .object(properties.map { JSONValue.Member(name: $0.name, value: $0.openAPI) }),
                "required": .array(properties.filter(\.isRequired).map { .string($0.name) }),
                "additionalProperties": false,
            ]
        case .nullable(let schema): return ["anyOf": [schema.openAPI, ["type": "null"]]]
        case .named(let name, _): return ["$ref": .string("#/components/schemas/\(name)")]
        }
    }

    /// Adds every named schema within this one to `components`.
    func collect(into components: inout [String: JSONSchema]) {
        switch self {
        case .string, .integer, .boolean: break
        case .array(let schema), .oneOrMany(let schema), .nullable(let schema): schema.collect(into: &components)
        case .object(let properties):
            for property in properties { property.schema.collect(into: &components) }
        case .named(let name, let schema):
            guard components.updateValue(schema, forKey: name) == nil else { return }
            schema.collect(into: &components)
        }
    }
}

extension JSONSchema.Property {
    fileprivate var openAPI: JSONValue {
        guard !description.isEmpty, case .object(let members) = schema.openAPI else { return schema.openAPI }
        return .object(members + [JSONValue.Member(name: "description", value: .string(description))])
    }
}
