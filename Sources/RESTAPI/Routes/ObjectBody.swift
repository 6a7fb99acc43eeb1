/// How a value of the domain looks in JSON: each member once, with its schema and with where it comes from, so that
/// the document and the answers cannot say different things.
struct ObjectBody<Source>: Sendable {
    struct Field: Sendable {
        let name: String
        let schema: JSONSchema
        let description: String
        let json: @Sendable (Source) -> JSONValue

        init(
            _ name: String, _ schema: JSONSchema, _ description: String = "",
            json: @escaping @Sendable (Source) -> JSONValue
        ) {
            self.name = name
            self.schema = schema
            self.description = description
            self.json = json
        }
    }

    let name: String
    let fields: [Field]
    /// What stands before the value of each field, such as `,"name":`.
    private let leads: [[UInt8]]

    init(_ name: String, _ fields: [Field]) {
        self.name = name
        self.fields = fields
        leads = fields.enumerated().map { index, field in
            Array((index > 0 ? "," : "").utf8) + JSONWriter.bytes(of: .string(field.name)) + Array(":".utf8)
        }
    }

    var schema: JSONSchema {
        .named(name, .object(fields.map { JSONSchema.Property($0.name, $0.schema, $0.description) }))
    }

    func json(_ source: Source) -> JSONValue {
        .object(fields.map { JSONValue.Member(name: $0.name, value: $0.json(source)) })
    }

    /// Writes what ``json(_:)`` says, without the object in between.
    func write(_ source: Source, to writer: inout JSONWriter) {
        writer.write(raw: "{".utf8)
        for (lead, field) in zip(leads, fields) {
            writer.write(raw: lead)
            writer.write(field.json(source))
        }
        writer.write(raw: "}".utf8)
    }
}
