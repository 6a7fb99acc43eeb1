/// Cells of a CSV file (RFC 4180) that a spreadsheet shows and does not run.
enum CSVText {
    static func cell(_ text: String) -> String {
        var text = text
        // These begin a formula; an apostrophe makes text of it.
        if let first = text.utf8.first, "=+-@\t\r".utf8.contains(first) { text = "'" + text }
        guard text.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
