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

    @Test("A database of a newer program is refused and left alone", arguments: DatabaseDriver.allCases)
    func newer(driver: DatabaseDriver) async throws {
        try await driver.withMigratedDatabase { database in
            try await database.withTransaction { transaction in
                try await transaction.execute("INSERT INTO schema_migration (number, name) VALUES (999, 'future')")
            }
            await #expect { _ = try await Migrator(Schema.migrations).migrate(database) } throws: {
                ($0 as? SQLError)?.kind == .schemaTooNew
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
