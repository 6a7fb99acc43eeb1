package import Database
import Domain

/// A whole database as a stream of pieces, of one snapshot, in the order in which they can be put into another.
package struct DatabaseDump: Sendable {
    /// One piece of the stream.
    package enum Piece: Sendable, Equatable {
        case table(name: String, columns: [String])
        /// Of the table that was named last.
        case rows([[SQLValue]])
        /// The digest is over all rows in the order of the key.
        case end(name: String, rows: Int, digest: String)
    }

    /// How many rows are in memory at once.
    private static let batch = 200

    private let tables: [SchemaTable]

    /// The tables of the newest schema.
    package init(tables: [SchemaTable] = Schema.tables()) {
        self.tables = tables
    }

    /// Hands out everything that `database` has. Returns how many rows that were.
    package func read(
        _ database: any SQLDatabase, _ body: @Sendable (Piece) async throws -> Void
    ) async throws -> Int {
        try await database.read { transaction in
            var total = 0
            for table in tables {
                var digest = TableDigest()
                var last: SQLRow?
                var isNamed = false
                while true {
                    try Task.checkCancellation()
                    let rows = try await table.page(after: last, limit: Self.batch, in: transaction)
                    guard let first = rows.first else { break }
                    if !isNamed {
                        try await body(.table(name: table.name, columns: first.columns.names))
                        isNamed = true
                    }
                    for row in rows { try digest.add(row) }
                    for run in Self.runs(of: rows) { try await body(.rows(run)) }
                    last = rows.last
                }
                total += digest.rows
                try await body(.end(name: table.name, rows: digest.rows, digest: digest.text))
            }
            return total
        }
    }

    /// Rows in runs of about 8 MiB, or of one row: whoever reads them back has a limit for a piece.
    private static func runs(of rows: [SQLRow]) -> [[[SQLValue]]] {
        var runs: [[[SQLValue]]] = []
        var run: [[SQLValue]] = []
        var size = 0
        for row in rows {
            let bytes = row.values.reduce(0) { $0 + weight(of: $1) }
            if size + bytes > 8 << 20, !run.isEmpty {
                runs.append(run)
                run = []
                size = 0
            }
            run.append(row.values)
            size += bytes
        }
        return run.isEmpty ? runs : runs + [run]
    }

    private static func weight(of value: SQLValue) -> Int {
        switch value {
        case .null, .integer: 16
        case .text(let text): text.utf8.count
        case .blob(let bytes): bytes.count
        }
    }
}

/// Puts a ``DatabaseDump`` into an empty database.
package struct DatabaseLoad: Sendable {
    private let tables: [SchemaTable]

    package init(tables: [SchemaTable]) {
        self.tables = tables
    }

    /// Takes pieces from `next` until it returns `nil`, then reads every table again and compares it with its digest. In
    /// the caller's transaction, so all of it is there or nothing. Returns how many rows there are.
    package func run(
        in transaction: any SQLTransaction, _ next: () async throws -> DatabaseDump.Piece?
    ) async throws -> Int {
        let byName = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0) })
        for table in tables where !table.isSeeded {
            guard try await transaction.query("SELECT 1 AS one FROM \(table.name) LIMIT 1").isEmpty else {
                throw ServiceError(
                    .failedPrecondition, "the database is not empty: it has rows in the table \(table.name)",
                    field: "database", rule: "restore-target-empty", nextStep: "Make a new database for it.")
            }
        }
        for table in tables.reversed() where table.isSeeded {
            try await transaction.execute("DELETE FROM \(table.name)")
        }
        var open: (table: SchemaTable, columns: [String])?
        var total = 0
        var seen: Set<String> = []
        while let piece = try await next() {
            switch piece {
            case .table(let name, let columns):
                guard let table = byName[name], columns.allSatisfy(Self.isName) else { throw Self.foreign(name) }
                open = (table, columns)
            case .rows(let rows):
                guard let open, rows.allSatisfy({ $0.count == open.columns.count }) else { throw Self.foreign("?") }
                try await open.table.insert(rows[...], columns: open.columns, in: transaction)
            case .end(let name, let rows, let digest):
                guard let table = byName[name], seen.insert(name).inserted else { throw Self.foreign(name) }
                open = nil
                let found = try await Self.digest(of: table, in: transaction)
                guard found.rows == rows, found.text == digest else {
                    throw ServiceError(
                        .validationFailed, "the table \(name) does not read as it was when the backup was made",
                        rule: "restore-differs", nextStep: "Nothing was kept. Use an older backup, and report this.")
                }
                total += rows
            }
        }
        guard seen.count == tables.count else {
            throw ServiceError(
                .validationFailed,
                "the backup lacks the table \(tables.first { !seen.contains($0.name) }?.name ?? "?")",
                rule: "restore-incomplete", nextStep: "Use an older backup.")
        }
        return total
    }

    private static func digest(of table: SchemaTable, in transaction: any SQLTransaction) async throws -> TableDigest {
        var digest = TableDigest()
        var last: SQLRow?
        while true {
            let rows = try await table.page(after: last, limit: 200, in: transaction)
            guard let end = rows.last else { return digest }
            for row in rows { try digest.add(row) }
            last = end
        }
    }

    /// Columns go into statements as they are.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }

    private static func foreign(_ name: String) -> ServiceError {
        ServiceError(
            .validationFailed, "the backup has something for the table \(name.prefix(64)), which does not belong there",
            rule: "restore-foreign", nextStep: "Restore it with the version of the program that made it.")
    }
}
