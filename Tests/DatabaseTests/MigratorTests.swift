import Database
import Persistence
import Testing

@Suite struct MigratorTests {
    @Test("All steps are applied once, by whoever comes first", arguments: DatabaseDriver.allCases)
    func once(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            async let first = Migrator(Schema.migrations).migrate(database)
            async let second = Migrator(Schema.migrations).migrate(database)
            let applied = try await first + second
            #expect(applied.sorted() == Schema.migrations.map(\.number))
            #expect(try await Migrator(Schema.migrations).migrate(database) == [])
        }
    }

    @Test(
        "A database of a newer program that took something away is refused and left alone",
        arguments: DatabaseDriver.allCases)
    func newer(driver: DatabaseDriver) async throws {
        try await driver.withMigratedDatabase { database in
            let future =
                Schema.migrations + [
                    Migration(number: 999, name: "future", statements: ["DROP TABLE setting"], contracts: true)
                ]
            let applied = try await Migrator(future).migrate(database)
            #expect(applied == [999])
            await #expect { _ = try await Migrator(Schema.migrations).migrate(database) } throws: {
                ($0 as? SQLError)?.kind == .schemaTooNew
            }
        }
    }

    @Test(
        "A database of a newer program that only added is used by the program of before, also when it is started anew",
        arguments: DatabaseDriver.allCases)
    func expanded(driver: DatabaseDriver) async throws {
        try await driver.withMigratedDatabase { database in
            let future =
                Schema.migrations + [
                    Migration(
                        number: 999, name: "future",
                        statements: [
                            "CREATE TABLE later (id BIGINT)",
                            "ALTER TABLE setting ADD COLUMN remark TEXT NOT NULL DEFAULT ''",
                        ])
                ]
            #expect(try await Migrator(future).migrate(database) == [999])
            #expect(try await Migrator(Schema.migrations).migrate(database) == [])
            #expect(try await Migrator(Schema.migrations).pending(in: database).isEmpty)
            try await database.withTransaction { transaction in
                try await transaction.execute("INSERT INTO setting (name, value) VALUES ('a', 'b')")
            }
            #expect(try await Migrator(future).migrate(database) == [])
        }
    }

    @Test("Steps only add, and what they add may be left out, unless they say that they contract")
    func expansion() throws {
        // The third one came before anything was released.
        for migration in Schema.migrations where migration.number > 3 && !migration.contracts {
            for statement in migration.statements {
                let words = statement.uppercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
                for taken in ["DROP TABLE", "DROP COLUMN", "RENAME", "ALTER COLUMN"] {
                    #expect(!words.contains(taken), "\(migration.number): \(statement)")
                }
                if words.contains("ADD COLUMN"), words.contains("NOT NULL") {
                    #expect(words.contains("DEFAULT"), "\(migration.number): \(statement)")
                }
            }
        }
    }

    @Test("A step that fails leaves nothing of itself", arguments: DatabaseDriver.allCases)
    func failing(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            let broken = [
                Migration(number: 1, name: "good", statements: ["CREATE TABLE a (id BIGINT)"]),
                Migration(number: 2, name: "bad", statements: ["CREATE TABLE b (id BIGINT)", "CREATE NONSENSE"]),
            ]
            await #expect(throws: SQLError.self) { _ = try await Migrator(broken).migrate(database) }
            try await database.withTransaction { try await $0.execute("CREATE TABLE b (id BIGINT)") }
            let mended = [
                broken[0], Migration(number: 2, name: "good too", statements: ["CREATE TABLE c (id BIGINT)"]),
            ]
            #expect(try await Migrator(mended).migrate(database) == [2])
        }
    }
}
