import Crypto
package import Database
import Domain

/// Copies a whole database into an empty one, of the same or another kind, and compares the two row by row.
///
/// What is read is one snapshot; what is written is one transaction, the comparison included. So the target has all of
/// it, or nothing.
package struct DatabaseCopy: Sendable {
    /// What became of one table.
    package struct Table: Sendable, Equatable {
        package let name: String
        package let rows: Int
        /// The SHA-256 over the SHA-256 of each row, in the order of the key; the same on both sides.
        package let digest: String
    }

    /// How many rows are in memory at once.
    private static let batch = 100
    /// How many parameters a statement has at most; SQLite takes 32,766.
    private static let parameterLimit = 2000

    private let source: any SQLDatabase
    private let target: any SQLDatabase
    private let tables: [SchemaTable]

    /// Both have the newest schema.
    package init(from source: any SQLDatabase, to target: any SQLDatabase, tables: [SchemaTable] = Schema.tables()) {
        self.source = source
        self.target = target
        self.tables = tables
    }

    /// Copies and compares. Throws `failedPrecondition` when the target is not empty, and `internalError` when a row
    /// does not read as it was written; the target is unchanged then.
    package func run() async throws -> [Table] {
        try await source.read { reader in
            try await target.withTransaction { writer in
                try await requireEmpty(writer)
                var copied: [Table] = []
                for table in tables {
                    if table.isSeeded { try await writer.execute("DELETE FROM \(table.name)") }
                    try await copy(table, from: reader, to: writer)
                    copied.append(try await compare(table, reader, writer))
                }
                return copied
            }
        }
    }

    private func requireEmpty(_ transaction: any SQLTransaction) async throws {
        for table in tables where !table.isSeeded {
            guard try await transaction.query("SELECT 1 AS one FROM \(table.name) LIMIT 1").isEmpty else {
                throw ServiceError(
                    .failedPrecondition, "the target is not empty: it has rows in the table \(table.name)",
                    field: "to", rule: "copy-target-empty", nextStep: "Make a new database for it.")
            }
        }
    }

    private func copy(
        _ table: SchemaTable, from reader: any SQLTransaction, to writer: any SQLTransaction
    ) async throws {
        var last: SQLRow?
        while true {
            let rows = try await page(of: table, after: last, in: reader)
            guard let first = rows.first else { return }
            let names = first.columns.names
            let perStatement = max(1, Self.parameterLimit / names.count)
            for start in stride(from: 0, to: rows.count, by: perStatement) {
                let slice = rows[start..<min(start + perStatement, rows.count)]
                let places = slice.indices.map { row in
                    let numbers = names.indices.map { "$\((row - start) * names.count + $0 + 1)" }
                    return "(\(numbers.joined(separator: ", ")))"
                }
                try await writer.execute(
                    """
                    INSERT INTO \(table.name) (\(names.joined(separator: ", "))) VALUES \(places.joined(separator: ", "))
                    """, slice.flatMap(\.values))
            }
            last = rows.last
        }
    }

    /// Reads both sides again and compares every value of every row.
    private func compare(
        _ table: SchemaTable, _ reader: any SQLTransaction, _ writer: any SQLTransaction
    ) async throws -> Table {
        var sourceDigest = TableDigest()
        var targetDigest = TableDigest()
        var last: SQLRow?
        while true {
            let expected = try await page(of: table, after: last, in: reader)
            let found = try await page(of: table, after: last, in: writer)
            guard expected.count == found.count else { throw Self.differs(table, after: sourceDigest.rows) }
            for (one, other) in zip(expected, found) {
                try sourceDigest.add(one)
                try targetDigest.add(other)
                guard sourceDigest.newest == targetDigest.newest else {
                    throw Self.differs(table, after: sourceDigest.rows - 1)
                }
            }
            guard let row = expected.last else { break }
            last = row
        }
        let digest = sourceDigest.text
        guard digest == targetDigest.text else { throw Self.differs(table, after: 0) }
        return Table(name: table.name, rows: sourceDigest.rows, digest: digest)
    }

    private static func differs(_ table: SchemaTable, after rows: Int) -> ServiceError {
        ServiceError(
            .internalError, "the table \(table.name) reads differently in the target, after \(rows) equal rows",
            rule: "copy-differs", nextStep: "Nothing was kept in the target. Report this; it is a fault of ours.")
    }

    private func page(
        of table: SchemaTable, after last: SQLRow?, in transaction: any SQLTransaction
    ) async throws -> [SQLRow] {
        try await table.page(after: last, limit: Self.batch, in: transaction)
    }
}

/// The digest of a table, row after row. Columns count in the order of their names.
struct TableDigest {
    private(set) var rows = 0
    private(set) var newest: [UInt8] = []
    private var whole = SHA256()

    mutating func add(_ row: SQLRow) throws {
        var hash = SHA256()
        for name in row.columns.names.sorted() {
            Self.update(&hash, 0, Array(name.utf8))
            switch try row.value(name) {
            case .null: Self.update(&hash, 1, [])
            case .integer(let value): Self.update(&hash, 2, Array(String(value).utf8))
            case .text(let value): Self.update(&hash, 3, Array(value.utf8))
            case .blob(let value): Self.update(&hash, 4, value)
            }
        }
        newest = Array(hash.finalize())
        whole.update(data: newest)
        rows += 1
    }

    var text: String { Hexadecimal.text(of: Array(whole.finalize())) }

    private static func update(_ hash: inout SHA256, _ kind: UInt8, _ bytes: [UInt8]) {
        hash.update(data: [kind] + Array("\(bytes.count):".utf8))
        hash.update(data: bytes)
    }
}
