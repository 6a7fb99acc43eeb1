/// Columns for people: as wide as their widest cell, two spaces apart, nothing behind the last one.
struct TextTable {
    let headings: [String]
    private(set) var rows: [[String]] = []

    init(_ headings: String...) { self.headings = headings }

    mutating func add(_ cells: String...) {
        precondition(cells.count == headings.count, "a row has as many cells as the table has columns")
        rows.append(cells.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") })
    }

    var lines: [String] {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// Prints itself, or `empty` when there is no row.
    func print(empty: String) {
        guard !rows.isEmpty else { return Console.print(empty) }
        for line in lines { Console.print(line) }
    }
}
