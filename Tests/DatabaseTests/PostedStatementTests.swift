import Database
import Testing

/// Statements whose outcome nobody waits for, with every driver.
@Suite struct PostedStatementTests {
    private static func makeTable(_ database: any SQLDatabase) async throws {
        try await database.withTransaction { transaction in
            try await transaction.execute("CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, name TEXT)")
            try await transaction.execute("CREATE TABLE tally (value BIGINT NOT NULL)")
            try await transaction.execute("INSERT INTO tally (value) VALUES (0)")
        }
    }

    private static func names(_ database: any SQLDatabase) async throws -> [String] {
        try await database.read { transaction in
            try await transaction.query("SELECT name FROM thing ORDER BY id").map { try $0.text("name") }
        }
    }

    @Test("What was posted is seen by the next statement, in its turn", arguments: DatabaseDriver.allCases)
    func order(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            let seen = try await database.withTransaction { transaction in
                try await transaction.post("INSERT INTO thing (id, name) VALUES (1, $1)", [.text("a")])
                try await transaction.post("UPDATE thing SET name = $1 WHERE id = 1", [.text("b")])
                return try await transaction.query("SELECT name FROM thing").map { try $0.text("name") }
            }
            #expect(seen == ["b"])
            #expect(try await Self.names(database) == ["b"])
        }
    }

    @Test("A transaction of nothing but posted statements is committed", arguments: DatabaseDriver.allCases)
    func alone(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            try await database.withTransaction { transaction in
                for number in 1...100 {
                    try await transaction.post(
                        "INSERT INTO thing (id, name) VALUES ($1, 'n')", [.integer(Int64(number))])
                }
            }
            #expect(try await Self.names(database).count == 100)
            try await database.withTransaction { transaction in
                try await transaction.postLast("UPDATE tally SET value = value + 1", [])
                try await transaction.postLast(
                    "INSERT INTO thing (id, name) SELECT 1000 + value, 'last' FROM tally", [])
            }
            #expect(try await Self.names(database).last == "last")
        }
    }

    @Test("A posted statement that is refused takes the whole transaction with it", arguments: DatabaseDriver.allCases)
    func refused(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            for isLast in [false, true] {
                let error = await #expect(throws: SQLError.self) {
                    try await database.withTransaction { transaction in
                        try await transaction.execute("INSERT INTO thing (id, name) VALUES (1, 'x')")
                        let twice = "INSERT INTO thing (id, name) VALUES (1, 'y')"
                        if isLast {
                            try await transaction.postLast(twice, [])
                        } else {
                            try await transaction.post(twice, [])
                        }
                    }
                }
                #expect(error?.kind == .uniqueViolation)
                #expect(try await Self.names(database).isEmpty)
            }
        }
    }

    @Test("Transactions that change one row last all get a number of their own", arguments: DatabaseDriver.allCases)
    func numbers(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        try await database.withTransaction(on: .only(["\(number)"])) { transaction in
                            try await transaction.postLast("UPDATE tally SET value = value + 1", [])
                            try await transaction.postLast(
                                "INSERT INTO thing (id, name) SELECT value, CAST($1 AS TEXT) FROM tally",
                                [.text("t\(number)")])
                            _ = try await transaction.query("SELECT value FROM tally")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(Set(try await Self.names(database)) == Set((0..<40).map { "t\($0)" }))
        }
    }
}
