package import Database

/// A table of the newest schema, as far as copying it needs to know.
package struct SchemaTable: Sendable, Equatable {
    package let name: String
    /// The columns of its primary key: what its rows are sorted by.
    package let key: [String]
    /// Whether a migration puts rows into it, so that it is not empty in a fresh database.
    package let isSeeded: Bool
}

extension Schema {
    /// All tables, each after those that it refers to, read from the migrations themselves: nobody has to remember
    /// a new one. The table of steps is not among them.
    package static func tables(of migrations: [Migration] = migrations) -> [SchemaTable] {
        var tables: [SchemaTable] = []
        for statement in migrations.flatMap(\.statements) {
            let text = statement.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            if let match = text.firstMatch(of: /^CREATE TABLE (?:IF NOT EXISTS )?(\w+) ?\((.*)\)$/) {
                tables.append(SchemaTable(name: String(match.1), key: key(in: match.2), isSeeded: false))
            } else if let match = text.firstMatch(of: /^DROP TABLE (?:IF EXISTS )?(\w+)/) {
                tables.removeAll { $0.name == match.1 }
            } else if let match = text.firstMatch(of: /^ALTER TABLE (\w+) RENAME TO (\w+)/) {
                tables = tables.map { table in
                    table.name == match.1
                        ? SchemaTable(name: String(match.2), key: table.key, isSeeded: table.isSeeded) : table
                }
            } else if let match = text.firstMatch(of: /^INSERT INTO (\w+)/) {
                tables = tables.map { table in
                    table.name == match.1 ? SchemaTable(name: table.name, key: table.key, isSeeded: true) : table
                }
            }
        }
        return tables
    }

    private static func key(in columns: Substring) -> [String] {
        if let match = columns.firstMatch(of: /PRIMARY KEY ?\(([\w, ]+)\)/) {
            return match.1.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
        }
        for column in columns.split(separator: ",") {
            let words = column.split(separator: " ")
            if words.suffix(2) == ["PRIMARY", "KEY"] || column.contains(" PRIMARY KEY "), let name = words.first {
                return [String(name)]
            }
        }
        return []
    }
}

extension SchemaTable {
    /// The rows that come next in the order of the key.
    func page(after last: SQLRow?, limit: Int, in transaction: any SQLTransaction) async throws -> [SQLRow] {
        precondition(!key.isEmpty, "every table has a primary key")
        let columns = key.joined(separator: ", ")
        guard let last else {
            return try await transaction.query("SELECT * FROM \(name) ORDER BY \(columns) LIMIT \(limit)")
        }
        let places = key.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
        return try await transaction.query(
            "SELECT * FROM \(name) WHERE (\(columns)) > (\(places)) ORDER BY \(columns) LIMIT \(limit)",
            try key.map { try last.value($0) })
    }

    /// Adds rows with these columns.
    func insert(
        _ rows: ArraySlice<[SQLValue]>, columns: [String], in transaction: any SQLTransaction
    ) async throws {
        // SQLite takes 32,766 parameters.
        let perStatement = max(1, 2000 / max(1, columns.count))
        var rest = rows
        while !rest.isEmpty {
            let slice = rest.prefix(perStatement)
            rest = rest.dropFirst(perStatement)
            let places = slice.indices.map { row in
                let first = (row - slice.startIndex) * columns.count
                return "(\(columns.indices.map { "$\(first + $0 + 1)" }.joined(separator: ", ")))"
            }
            try await transaction.execute(
                "INSERT INTO \(name) (\(columns.joined(separator: ", "))) VALUES \(places.joined(separator: ", "))",
                slice.flatMap { $0 })
        }
    }
}
