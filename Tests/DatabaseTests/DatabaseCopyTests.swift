import Database
import DatabasePostgres
import DatabaseSQLite
import Domain
import Persistence
import TestSupport
import Testing

/// Moving everything from one database into another.
@Suite struct DatabaseCopyTests {
    private static let ways: [(DatabaseDriver, DatabaseDriver)] = [
        (.sqlite, .postgres), (.postgres, .sqlite), (.postgres, .postgres),
    ]

    /// Rows of all shapes: more than a batch, NULL, bytes, odd text, keys of several columns.
    private static func fill(_ database: any SQLDatabase) async throws {
        try await database.withTransaction { transaction in
            for number in 0..<250 {
                try await transaction.execute(
                    "INSERT INTO app_user (id, email, name, role, password_hash, created_at) VALUES ($1, $2, $3, 'user', '-', $4)",
                    [
                        .text("user\(number % 7)-\(number)"), .text("\(number)@example.org"),
                        .text("Ann 'é 日本' \\ \"\(number)\""), .integer(Int64(number) &* .max),
                    ])
                try await transaction.execute(
                    "INSERT INTO file_facts (digest, kind, facts) VALUES ($1, $2, $3)",
                    [.text("d\(number / 2)"), .text("k\(number % 2)"), .blob([0, 255, UInt8(number)])])
            }
            try await transaction.execute(
                """
                INSERT INTO site (id, owner_id, slug, name, kind, last_release, fence, created_at)
                VALUES ('site-1', 'user0-0', 'bakery', '', 'static', 0, $1, 0)
                """, [.integer(1 << 48)])
            try await transaction.execute("UPDATE counter SET value = 41 WHERE name = 'event'")
        }
    }

    private static func everything(_ database: any SQLDatabase) async throws -> [[SQLValue]] {
        try await database.read { transaction in
            var rows: [[SQLValue]] = []
            for table in Schema.tables() {
                let key = table.key.joined(separator: ", ")
                for row in try await transaction.query("SELECT * FROM \(table.name) ORDER BY \(key)") {
                    rows.append([.text(table.name)] + row.values)
                }
            }
            return rows
        }
    }

    @Test("Every row arrives as it was, in both directions", arguments: ways)
    func all(from: DatabaseDriver, to: DatabaseDriver) async throws {
        try await from.withMigratedDatabase { source in
            try await Self.fill(source)
            try await to.withMigratedDatabase { target in
                let tables = try await DatabaseCopy(from: source, to: target).run()
                #expect(tables.first { $0.name == "app_user" }?.rows == 250)
                #expect(tables.first { $0.name == "file_facts" }?.rows == 250)
                #expect(Set(tables.map(\.digest)).count > 4)
                let (before, after) = (try await Self.everything(source), try await Self.everything(target))
                #expect(before == after)
                #expect(before.count > 500)
            }
        }
    }

    @Test("A target with rows is refused and keeps them", arguments: ways)
    func notEmpty(from: DatabaseDriver, to: DatabaseDriver) async throws {
        try await from.withMigratedDatabase { source in
            try await Self.fill(source)
            try await to.withMigratedDatabase { target in
                try await target.withTransaction { transaction in
                    try await transaction.execute(
                        """
                        INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                        VALUES ('other', 'x', 'x', 'user', '-', 0)
                        """)
                }
                await #expect {
                    _ = try await DatabaseCopy(from: source, to: target).run()
                } throws: {
                    ($0 as? ServiceError)?.rule == "copy-target-empty"
                }
                let count = try await target.read {
                    try await $0.query("SELECT COUNT(*) AS n FROM app_user")[0].integer("n")
                }
                #expect(count == 1)
            }
        }
    }

    @Test("A copy that goes wrong leaves nothing in the target", arguments: ways)
    func failing(from: DatabaseDriver, to: DatabaseDriver) async throws {
        try await from.withMigratedDatabase { source in
            try await Self.fill(source)
            try await to.withMigratedDatabase { target in
                // A column that the target does not have.
                try await source.withTransaction { try await $0.execute("ALTER TABLE site ADD COLUMN surplus BIGINT") }
                await #expect(throws: SQLError.self) { _ = try await DatabaseCopy(from: source, to: target).run() }
                let count = try await target.read {
                    try await $0.query("SELECT COUNT(*) AS n FROM app_user")[0].integer("n")
                }
                #expect(count == 0)
            }
        }
    }

    @Test("The list of tables is the one that the databases have", arguments: DatabaseDriver.allCases)
    func tables(driver: DatabaseDriver) async throws {
        let catalogue =
            switch driver {
            case .sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            case .postgres:
                "SELECT table_name::TEXT AS name FROM information_schema.tables WHERE table_schema = 'public'"
            }
        try await driver.withMigratedDatabase { database in
            let names = try await database.read { try await $0.query(catalogue) }.map { try $0.text("name") }
            #expect(Set(names) == Set(Schema.tables().map(\.name) + ["schema_migration"]))
        }
        #expect(Schema.tables().allSatisfy { !$0.key.isEmpty })
        #expect(Schema.tables().first { $0.name == "version" }?.key == ["site_id", "number"])
    }
}
