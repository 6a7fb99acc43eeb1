/// Where a text stops being JSON, and why; to be shown to whoever wrote it.
struct JSONSyntaxError: Error, Equatable {
    /// From 1.
    let line: Int
    /// From 1, in bytes.
    let column: Int
    /// Such as `expected "," or "}"`.
    let problem: String
}
