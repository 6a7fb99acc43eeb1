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
                try await transaction.execute("INSERT INTO thing (id, name, data) VALUES ($1, $2, $3)", [1, nil, nil])
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
            await #expect {
                _ = try await database.read { try await $0.execute("INSERT INTO thing (id) VALUES (1)") }
            } throws: {
                ($0 as? SQLError)?.kind == .readOnly
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

    @Test("A refusal that the body passes over is thrown, and nothing is committed", arguments: DatabaseDriver.allCases)
    func refusalStays(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            await #expect {
                try await database.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO thing (id) VALUES (1)")
                    _ = try? await transaction.execute("INSERT INTO thing (id) VALUES (1)")
                }
            } throws: {
                ($0 as? SQLError)?.kind == .uniqueViolation
            }
            #expect(try await Self.count(database) == 0)
        }
    }

    @Test("A text with the character that PostgreSQL cannot hold is refused", arguments: DatabaseDriver.allCases)
    func nullCharacter(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            await #expect {
                try await database.withTransaction { transaction in
                    try await transaction.execute(
                        "INSERT INTO thing (id, name) VALUES (1, $1)", [.text("before\u{0}after")])
                }
            } throws: {
                ($0 as? SQLError)?.kind == .constraintViolation
            }
        }
    }

    @Test("Sums, counts, comparisons and integers at their limits are integers", arguments: DatabaseDriver.allCases)
    func integers(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            for id: Int64 in [1, 99_990_000, 8_999_999_999_999_999] {
                try await database.withTransaction {
                    try await $0.execute("INSERT INTO thing (id) VALUES ($1)", [.integer(id)])
                }
            }
            let row = try await database.read {
                try await $0.query(
                    """
                    SELECT SUM(id) AS sum, SUM(-id) AS negative, SUM(id - id) AS zero, COUNT(*) AS number,
                        MAX(id) = 1 AS small, MIN(id) - 2 AS below, $1 + 0 * MIN(id) AS least FROM thing
                    """, [.integer(.min)])[0]
            }
            #expect(try row.integer("sum") == 9_000_000_099_990_000)
            #expect(try row.integer("negative") == -9_000_000_099_990_000)
            #expect(try row.integer("zero") == 0)
            #expect(try row.integer("number") == 3)
            #expect(try row.boolean("small") == false)
            #expect(try row.integer("below") == -1)
            #expect(try row.integer("least") == .min)
        }
    }

    @Test("Writers of different scopes lose no update either", arguments: DatabaseDriver.allCases)
    func scopes(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            try await database.withTransaction { transaction in
                for id in 1...4 {
                    try await transaction.execute(
                        "INSERT INTO thing (id, name) VALUES ($1, '0')", [SQLValue(id)])
                }
                try await transaction.execute("CREATE TABLE counter (value BIGINT NOT NULL)")
                try await transaction.execute("INSERT INTO counter (value) VALUES (0)")
            }
            let numbers = try await withThrowingTaskGroup(of: Int64.self) { group in
                for round in 0..<80 {
                    group.addTask {
                        let id = round % 4 + 1
                        // Every tenth works on all rows, beside nobody.
                        let scope = round % 10 == 9 ? SQLScope.everything : .only(["thing \(id)"])
                        return try await database.withTransaction(on: scope) { transaction in
                            let row = try await transaction.query(
                                "SELECT name FROM thing WHERE id = $1", [SQLValue(id)])[0]
                            let value = Int(try row.text("name"))! + 1
                            try await transaction.execute(
                                "UPDATE thing SET name = $2 WHERE id = $1", [SQLValue(id), .text(String(value))])
                            return try await transaction.query(
                                "UPDATE counter SET value = value + 1 RETURNING value")[0].integer("value")
                        }
                    }
                }
                return try await group.reduce(into: [Int64]()) { $0.append($1) }
            }
            #expect(numbers.sorted() == Array(1...80))
            let names = try await database.read { try await $0.query("SELECT name FROM thing ORDER BY id") }
            #expect(try names.map { try $0.text("name") } == ["20", "20", "20", "20"])
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
