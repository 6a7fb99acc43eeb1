import Synchronization

/// A change of one row. Several of its kind can be made by one statement, which makes each of the rows what it was to be
/// by itself.
package final class SQLRowChange: Sendable {
    package struct Column: Sendable {
        let name: String
        let type: String

        package static func text(_ name: String) -> Self { Self(name: name, type: "TEXT") }
        package static func integer(_ name: String) -> Self { Self(name: name, type: "BIGINT") }
    }

    private enum Kind {
        case insert
        /// The first column is the key.
        case update
        /// An insert whose column `id` is the next number of a counter.
        case numbered(counter: String)
    }

    private let kind: Kind
    private let table: String
    private let columns: [Column]
    /// By the number of rows.
    private let texts = Mutex<[Int: [String]]>([:])

    private init(_ kind: Kind, _ table: String, _ columns: [Column]) {
        self.kind = kind
        self.table = table
        self.columns = columns
    }

    /// A new row with these columns.
    package static func insert(into table: String, _ columns: [Column]) -> SQLRowChange {
        SQLRowChange(.insert, table, columns)
    }

    /// The row whose `key` is the first value gets the other values.
    package static func update(_ table: String, key: Column, _ columns: [Column]) -> SQLRowChange {
        SQLRowChange(.update, table, [key] + columns)
    }

    /// A new row whose `id` is the next number of a row of the table `counter`. The counter is this transaction's until it
    /// ends.
    package static func insert(
        into table: String, numberedBy counter: String, _ columns: [Column]
    ) -> SQLRowChange {
        SQLRowChange(.numbered(counter: counter), table, columns)
    }

    /// The statements that make all of these changes: few texts for any number of rows.
    package func statements(for rows: [[SQLValue]]) -> [SQLStatement] {
        var statements: [SQLStatement] = []
        var rest = rows[...]
        while !rest.isEmpty {
            // The largest power of two.
            let count = 1 << (Int.bitWidth - 1 - rest.count.leadingZeroBitCount)
            let texts = texts(of: count)
            let parameters = Array(rest.prefix(count).joined())
            rest = rest.dropFirst(count)
            // The last one has the values; the one before it takes the numbers.
            for text in texts.dropLast() { statements.append(SQLStatement(text)) }
            statements.append(SQLStatement(texts[texts.count - 1], parameters))
        }
        return statements
    }

    private func texts(of count: Int) -> [String] {
        texts.withLock { texts in
            if let known = texts[count] { return known }
            let made = makeTexts(of: count)
            texts[count] = made
            return made
        }
    }

    private func makeTexts(of count: Int) -> [String] {
        let names = columns.map(\.name)
        let list = names.joined(separator: ", ")
        switch kind {
        case .insert:
            let rows = (0..<count).map { row in
                "(" + columns.indices.map { "$\(row * columns.count + $0 + 1)" }.joined(separator: ", ") + ")"
            }
            return ["INSERT INTO \(table) (\(list)) VALUES \(rows.joined(separator: ", "))"]
        case .update where count == 1:
            let changes = names.indices.dropFirst().map { "\(names[$0]) = $\($0 + 1)" }
            return ["UPDATE \(table) SET \(changes.joined(separator: ", ")) WHERE \(names[0]) = $1"]
        case .update:
            let changes = names.dropFirst().map { "\($0) = fresh.\($0)" }
            return [
                """
                WITH fresh(\(list)) AS (VALUES \(values(count)))
                UPDATE \(table) SET \(changes.joined(separator: ", ")) FROM fresh
                WHERE \(table).\(names[0]) = fresh.\(names[0])
                """
            ]
        case .numbered(let counter):
            return [
                "UPDATE counter SET value = value + \(count) WHERE name = '\(counter)'",
                """
                WITH fresh(behind, \(list)) AS (VALUES \(values(count) { "\(count - 1 - $0), " }))
                INSERT INTO \(table) (id, \(list))
                SELECT counter.value - fresh.behind, \(names.map { "fresh.\($0)" }.joined(separator: ", "))
                FROM counter, fresh WHERE counter.name = '\(counter)'
                """,
            ]
        }
    }

    /// The first row says the types of all.
    private func values(_ count: Int, _ first: (Int) -> String = { _ in "" }) -> String {
        (0..<count).map { row in
            let places = columns.enumerated().map { number, column in
                let place = "$\(row * columns.count + number + 1)"
                return row == 0 ? "CAST(\(place) AS \(column.type))" : place
            }
            return "(\(first(row))\(places.joined(separator: ", ")))"
        }.joined(separator: ", ")
    }
}
