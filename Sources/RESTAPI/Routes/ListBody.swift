import Domain

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

    /// A list that is always whole.
    var listSchema: JSONSchema {
        .named(name + "List", .object([JSONSchema.Property("items", .array(schema))]))
    }

    func json(_ items: [Source]) -> JSONValue { ["items": .array(items.map(json))] }
}
