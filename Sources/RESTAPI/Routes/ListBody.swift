import Domain
import NIOCore

/// How lists look: `items`, and where the next page begins.
extension ObjectBody where Source: Sendable {
    var pageSchema: JSONSchema {
        .named(
            name + "Page",
            .object([
                JSONSchema.Property("items", .array(schema)),
                JSONSchema.Property(
                    "next_cursor", .nullable(.text), "Pass it as cursor to get what follows; null at the end."),
            ]))
    }

    func json(_ page: Page<Source>) -> JSONValue {
        [
            "items": .array(page.items.map(json)),
            "next_cursor": .optional(page.nextCursor) { .string($0) },
        ]
    }

    /// What ``json(_:)`` says, written: for lists that are long and asked for often.
    func written(_ page: Page<Source>) -> ByteBuffer {
        var writer = JSONWriter()
        writer.write(raw: "{\"items\":[".utf8)
        for (index, item) in page.items.enumerated() {
            if index > 0 { writer.write(raw: ",".utf8) }
            write(item, to: &writer)
        }
        writer.write(raw: "],\"next_cursor\":".utf8)
        writer.write(.optional(page.nextCursor) { .string($0) })
        writer.write(raw: "}".utf8)
        return ByteBuffer(bytes: writer.bytes)
    }

    /// A list that is always whole.
    var listSchema: JSONSchema {
        .named(name + "List", .object([JSONSchema.Property("items", .array(schema))]))
    }

    func json(_ items: [Source]) -> JSONValue { ["items": .array(items.map(json))] }
}
