import Database
import DatabaseSQLite
import Foundation
import TestSupport
import Testing

/// What every driver of ``SQLDatabase`` does.
@Suite struct SQLDatabaseTests {
    private struct Refused: Error {}

    private static func makeTable(_ database: any SQLDatabase) async throws {
        try await database.withTransaction { transaction in
            try await transaction.execute(
                "CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, name TEXT, data BYTEA, CHECK (id > 0))")
        }
    }

    private static func count(_ database: any SQLDatabase) async throws -> Int64 {
        try await database.read { try await $0.query("SELECT COUNT(*) AS number FROM thing")[0].integer("number") }
    }

    @Test("Values come back as they went in", arguments: DatabaseDriver.allCases)
    func values(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            let text = "quote ' \" ; -- é 日本 👩‍👩‍👧 $1"
            try await database.withTransaction { transaction in
                try await transaction.execute(
                    "INSERT INTO thing (id, name, data) VALUES ($1, $2, $3)",
                    [.integer(.max), .text(text), .blob([0, 255, 1])])
                try await transaction.execute("INSERT INTO thing (id, name, data) VALUES ($1, $2, $2)", [1, nil])
            }
            let rows = try await database.read { try await $0.query("SELECT * FROM thing ORDER BY id DESC") }
            #expect(try rows[0].integer("id") == .max)
            #expect(try rows[0].text("name") == text)
            #expect(try rows[0].blob("data") == [0, 255, 1])
            #expect(try rows[1].optionalText("name") == nil)
            #expect(throws: SQLError.self) { try rows[1].text("name") }
            #expect(throws: SQLError.self) { try rows[1].integer("nothing") }
        }
    }

    @Test("A transaction that throws leaves nothing behind", arguments: DatabaseDriver.allCases)
    func rollback(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            await #expect(throws: Refused.self) {
                try await database.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO thing (id) VALUES (1)")
                    throw Refused()
                }
            }
            #expect(try await Self.count(database) == 0)
        }
    }

    @Test("A cancelled transaction leaves nothing behind and frees the database", arguments: DatabaseDriver.allCases)
    func cancelled(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            let (started, continuation) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await database.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO thing (id) VALUES (1)")
                    continuation.yield()
                    try await Task.sleep(for: .seconds(600))
                }
            }
            for await _ in started { break }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await database.withTransaction { try await $0.execute("INSERT INTO thing (id) VALUES (2)") }
            #expect(try await Self.count(database) == 1)
        }
    }

    @Test("Writers wait for each other and lose no update", arguments: DatabaseDriver.allCases)
    func writers(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            try await database.withTransaction { try await $0.execute("INSERT INTO thing (id, name) VALUES (1, '0')") }
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await database.withTransaction { transaction in
                            let value = try await transaction.query("SELECT name FROM thing WHERE id = 1")[0].text(
                                "name")
                            try await transaction.execute(
                                "UPDATE thing SET name = $1 WHERE id = 1", [.text(String(Int(value)! + 1))])
                        }
                    }
                }
            }
            let name = try await database.read { try await $0.query("SELECT name FROM thing")[0].text("name") }
            #expect(name == "50")
        }
    }

    @Test("A reader sees one snapshot and does not wait for a writer", arguments: DatabaseDriver.allCases)
    func snapshots(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            try await database.read { reader in
                let before = try await reader.query("SELECT COUNT(*) AS number FROM thing")[0].integer("number")
                try await database.withTransaction { try await $0.execute("INSERT INTO thing (id) VALUES (1)") }
                let after = try await reader.query("SELECT COUNT(*) AS number FROM thing")[0].integer("number")
                #expect(before == 0 && after == 0)
            }
            #expect(try await Self.count(database) == 1)
        }
    }

    @Test("A reader cannot write", arguments: DatabaseDriver.allCases)
    func readOnly(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            await #expect(throws: SQLError.self) {
                _ = try await database.read { try await $0.execute("INSERT INTO thing (id) VALUES (1)") }
            }
        }
    }

    @Test("Refusals are sorted by what a caller can do about them", arguments: DatabaseDriver.allCases)
    func errors(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            func kind(_ statement: String) async -> SQLError.Kind? {
                do {
                    try await database.withTransaction { transaction in
                        try await transaction.execute("INSERT INTO thing (id) VALUES (1)")
                        try await transaction.execute(statement)
                    }
                    return nil
                } catch {
                    return (error as? SQLError)?.kind
                }
            }
            #expect(await kind("INSERT INTO thing (id) VALUES (1)") == .uniqueViolation)
            #expect(await kind("INSERT INTO thing (id) VALUES (0)") == .constraintViolation)
            #expect(await kind("SELEKT") == .statement)
        }
    }

    @Test("What was committed is there after the database is opened again")
    func durable() async throws {
        try await withTemporaryDirectory { folder in
            do {
                let database = try SQLiteDatabase(path: folder + "/test.sqlite")
                try await Self.makeTable(database)
                try await database.withTransaction { try await $0.execute("INSERT INTO thing (id) VALUES (1)") }
            }
            #expect(try await Self.count(try SQLiteDatabase(path: folder + "/test.sqlite")) == 1)
        }
    }

    @Test("A file that is no database, and a folder that is none, are refused with a reason")
    func unreadable() async throws {
        try await withTemporaryDirectory { folder in
            try Data("this is not a database, it only looks like a file".utf8).write(to: URL(filePath: folder + "/x"))
            #expect(throws: SQLError.self) { _ = try SQLiteDatabase(path: folder + "/x") }
            #expect(throws: SQLError.self) { _ = try SQLiteDatabase(path: folder + "/nowhere/x") }
        }
    }
}
