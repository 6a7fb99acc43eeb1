/// What a model may do to a site.
struct ModelTool: Sendable {
    let name: String
    let description: String
    /// Of its arguments; every property is required, and those that may be left out may be null.
    let schema: JSONNode

    static let all: [ModelTool] = [
        ModelTool(
            "list", "List the files of the site with their sizes in bytes.",
            ["folder": nullable("string", "Only what is below this folder; null lists all.")]),
        ModelTool(
            "read", "Read a text file.",
            [
                "path": property("string", "Such as index.html."),
                "first_line": nullable("integer", "Where to begin, counted from 1; null is the beginning."),
                "lines": nullable("integer", "How many lines; null is as many as fit."),
            ]),
        ModelTool(
            "search", "Find text in the text files of the site, whatever its case. Gives paths with line numbers.",
            [
                "text": property("string", "What to look for; no pattern."),
                "folder": nullable("string", "Only below this folder; null is everywhere."),
            ]),
        ModelTool(
            "write", "Write a whole text file, a new one or in the place of the old one.",
            ["path": property("string", "Such as about.html."), "content": property("string", "All of the file.")]),
        ModelTool(
            "replace", "Replace text in a file. The old text must be in the file exactly once, unless all is true.",
            [
                "path": property("string", "The file."),
                "old": property("string", "The text that is there now, exactly, with its white space."),
                "new": property("string", "What is to be there."),
                "all": nullable("boolean", "Replace every occurrence."),
            ]),
        ModelTool("delete", "Delete a file.", ["path": property("string", "The file.")]),
        ModelTool(
            finish, "Say that the work is done. Nothing is kept before this is called.",
            [
                "summary": property(
                    "string", "One short paragraph for the owner of the site, in plain words, about what changed.")
            ]),
    ]

    static let finish = "finish"

    private init(_ name: String, _ description: String, _ properties: [String: JSONNode]) {
        self.name = name
        self.description = description
        schema = [
            "type": "object", "properties": .object(properties),
            "required": .list(properties.keys.sorted().map { .text($0) }), "additionalProperties": false,
        ]
    }

    private static func property(_ type: String, _ description: String) -> JSONNode {
        ["type": .text(type), "description": .text(description)]
    }

    private static func nullable(_ type: String, _ description: String) -> JSONNode {
        ["type": [.text(type), "null"], "description": .text(description)]
    }
}

/// What a tool answered.
struct ModelToolResult: Sendable, Equatable {
    let text: String
    let isError: Bool

    static func done(_ text: String) -> Self { Self(text: text, isError: false) }
    static func error(_ text: String) -> Self { Self(text: "Error: " + text, isError: true) }
}
