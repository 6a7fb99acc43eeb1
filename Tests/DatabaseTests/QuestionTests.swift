import Database
import Testing

/// Several questions in one round trip, with every driver.
@Suite struct QuestionTests {
    private static func makeTable(_ database: any SQLDatabase) async throws {
        try await database.withTransaction { transaction in
            try await transaction.execute("CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, name TEXT)")
            try await transaction.execute("INSERT INTO thing (id, name) VALUES (1, 'a'), (2, 'b')")
        }
    }

    private static func name(_ id: Int64) -> SQLQuery<String?> {
        SQLQuery("SELECT name FROM thing WHERE id = $1", [.integer(id)]) { try $0.first?.text("name") }
    }

    @Test("Each question gets its own answer", arguments: DatabaseDriver.allCases)
    func answers(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            let (first, second, third) = try await database.answers(Self.name(2), Self.name(3), Self.name(1))
            #expect(first == "b" && second == nil && third == "a")
            #expect(try await database.answer(Self.name(1)) == "a")
            #expect(try await database.queries([]).isEmpty)
        }
    }

    @Test("What was committed before is seen", arguments: DatabaseDriver.allCases)
    func fresh(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            for number in 10..<40 as Range<Int64> {
                try await database.withTransaction(on: .only(["\(number)"])) { transaction in
                    try await transaction.execute(
                        "INSERT INTO thing (id, name) VALUES ($1, 'new')", [.integer(number)])
                }
                #expect(try await database.answer(Self.name(number)) == "new")
            }
        }
    }

    @Test("All questions see one snapshot", .timeLimit(.minutes(2)), arguments: DatabaseDriver.allCases)
    func snapshot(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            let count = SQLQuery<Int64>("SELECT COUNT(*) AS number FROM thing", []) { try $0[0].integer("number") }
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask {
                    for number in 100..<200 as Range<Int64> {
                        try await database.withTransaction { transaction in
                            try await transaction.execute(
                                "INSERT INTO thing (id, name) VALUES ($1, 'n')", [.integer(number)])
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<100 {
                        let (before, after) = try await database.answers(count, count)
                        #expect(before == after)
                    }
                }
            }
        }
    }

    @Test("A question that is refused throws, and the next one is answered", arguments: DatabaseDriver.allCases)
    func refused(driver: DatabaseDriver) async throws {
        try await driver.withEmptyDatabase { database in
            try await Self.makeTable(database)
            for _ in 0..<20 {
                await #expect(throws: SQLError.self) {
                    _ = try await database.queries([
                        SQLStatement("SELECT name FROM thing"), SQLStatement("SELECT name FROM nothing"),
                    ])
                }
                await #expect(throws: SQLError.self) {
                    _ = try await database.queries([SQLStatement("INSERT INTO thing (id) VALUES (9)")])
                }
                #expect(try await database.answer(Self.name(1)) == "a")
            }
            #expect(try await database.answer(Self.name(9)) == nil)
        }
    }
}
