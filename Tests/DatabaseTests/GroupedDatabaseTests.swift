import Database
import Synchronization
import Testing

/// Transactions of different keys that are done together.
@Suite struct GroupedDatabaseTests {
    private struct Refused: Error {}

    /// Counts what reaches the database behind a group.
    private struct Counted: SQLDatabase {
        let database: any SQLDatabase
        let transactions = Tally()

        func withTransaction<Value: Sendable>(
            on scope: SQLScope, _ body: @Sendable (any SQLTransaction) async throws -> Value
        ) async throws -> Value {
            transactions.add()
            return try await database.withTransaction(on: scope, body)
        }

        func read<Value: Sendable>(
            _ body: @Sendable (any SQLTransaction) async throws -> Value
        ) async throws -> Value { try await database.read(body) }

        func queries(_ statements: [SQLStatement], isHint: Bool) async throws -> [[SQLRow]] {
            try await database.queries(statements, isHint: isHint)
        }
    }

    private final class Tally: Sendable {
        private let number = Atomic(0)
        var count: Int { number.load(ordering: .relaxed) }
        func add() { number.add(1, ordering: .relaxed) }
    }

    private static let insert = SQLRowChange.insert(into: "thing", [.integer("id"), .text("name")])
    private static let update = SQLRowChange.update("thing", key: .integer("id"), [.text("name")])
    private static let numbered = SQLRowChange.insert(into: "note", numberedBy: "note", [.text("text")])
    private static let lookup = SQLLookup("SELECT * FROM thing", by: "id")

    private static func withTables(
        _ driver: DatabaseDriver, _ body: (Counted) async throws -> Void
    ) async throws {
        try await driver.withEmptyDatabase { database in
            try await database.withTransaction { transaction in
                for statement in [
                    "CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, name TEXT)",
                    "CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL)",
                    "CREATE TABLE note (id BIGINT NOT NULL PRIMARY KEY, text TEXT NOT NULL)",
                    "INSERT INTO counter (name, value) VALUES ('note', 0)",
                ] { try await transaction.execute(statement) }
            }
            try await body(Counted(database: database))
        }
    }

    private static func names(_ database: Counted) async throws -> [Int64: String] {
        try await database.queries([SQLStatement("SELECT id, name FROM thing ORDER BY id")])[0].reduce(into: [:]) {
            $0[try $1.integer("id")] = try $1.text("name")
        }
    }

    @Test(
        "What comes at the same time is one transaction, and each gets its own answers", .timeLimit(.minutes(2)),
        arguments: DatabaseDriver.allCases)
    func one(driver: DatabaseDriver) async throws {
        try await Self.withTables(driver) { database in
            let outcomes = try await together(13, in: database) { number, transaction -> String? in
                try await transaction.post(Self.insert, [.integer(number), .text("made \(number)")])
                let found = try await transaction.answer(
                    SQLQuery(Self.lookup, .integer(number)) { try $0.first?.text("name") })
                try await transaction.post(Self.update, [.integer(number), .text("kept \(number)")])
                return found
            }
            #expect(try outcomes.map { try $0.get() } == (0..<13).map { "made \($0)" })
            #expect(database.transactions.count == 2, "the one in front, and the group")
            let names = try await Self.names(database)
            #expect(names == Dictionary(uniqueKeysWithValues: (0..<13 as Range<Int64>).map { ($0, "kept \($0)") }))
        }
    }

    @Test(
        "A key that is not there has no rows, beside one that is", .timeLimit(.minutes(2)),
        arguments: DatabaseDriver.allCases)
    func missing(driver: DatabaseDriver) async throws {
        try await Self.withTables(driver) { database in
            try await database.withTransaction {
                try await $0.execute("INSERT INTO thing (id, name) VALUES (2, 'two')")
            }
            let outcomes = try await together(3, in: database) { number, transaction in
                try await transaction.answer(SQLQuery(Self.lookup, .integer(number)) { $0.count })
            }
            #expect(try outcomes.map { try $0.get() } == [0, 0, 1])
        }
    }

    @Test(
        "Numbers of a counter have no gaps and follow the order of each transaction", .timeLimit(.minutes(2)),
        arguments: DatabaseDriver.allCases)
    func numbers(driver: DatabaseDriver) async throws {
        try await Self.withTables(driver) { database in
            _ = try await together(7, in: database) { number, transaction in
                try await transaction.postLast(Self.numbered, [.text("\(number) first")])
                try await transaction.postLast(Self.numbered, [.text("\(number) second")])
            }
            let rows = try await database.queries([SQLStatement("SELECT id, text FROM note ORDER BY id")])[0]
            #expect(try rows.map { try $0.integer("id") } == Array(1...14))
            let texts = try rows.map { try $0.text("text") }
            for number in 0..<7 {
                let first = try #require(texts.firstIndex(of: "\(number) first"))
                let second = try #require(texts.firstIndex(of: "\(number) second"))
                #expect(first < second)
            }
        }
    }

    @Test(
        "One whose row is refused fails alone: the others are done again without it", .timeLimit(.minutes(2)),
        arguments: DatabaseDriver.allCases)
    func poisoned(driver: DatabaseDriver) async throws {
        try await Self.withTables(driver) { database in
            try await database.withTransaction {
                try await $0.execute("INSERT INTO thing (id, name) VALUES (3, 'old')")
            }
            let outcomes = try await together(6, in: database) { number, transaction in
                try await transaction.post(Self.insert, [.integer(number), .text("new")])
            }
            for (number, outcome) in outcomes.enumerated() {
                if number == 3 {
                    #expect { try outcome.get() } throws: { ($0 as? SQLError)?.kind == .uniqueViolation }
                } else {
                    #expect(throws: Never.self) { try outcome.get() }
                }
            }
            let names = try await Self.names(database)
            #expect(names == [0: "new", 1: "new", 2: "new", 3: "old", 4: "new", 5: "new"])
        }
    }

    @Test(
        "One that gives up before it wrote leaves the others together; one that wrote is undone",
        .timeLimit(.minutes(2)), arguments: DatabaseDriver.allCases)
    func givingUp(driver: DatabaseDriver) async throws {
        try await Self.withTables(driver) { database in
            let early = try await together(5, in: database) { number, transaction in
                _ = try await transaction.answer(SQLQuery(Self.lookup, .integer(number)) { $0.count })
                try await transaction.post(Self.insert, [.integer(number), .text("early")])
                if number == 2 { throw Refused() }
            }
            #expect(throws: Refused.self) { try early[2].get() }
            #expect(try await Self.names(database).keys.sorted() == [0, 1, 3, 4])
            #expect(database.transactions.count == 2)
            let late = try await together(5, in: database) { number, transaction in
                try await transaction.post(Self.insert, [.integer(number + 10), .text("late")])
                _ = try await transaction.answer(SQLQuery(Self.lookup, .integer(number)) { $0.count })
                if number == 2 { throw Refused() }
            }
            #expect(throws: Refused.self) { try late[2].get() }
            #expect(late.count { (try? $0.get()) != nil } == 4)
            #expect(try await Self.names(database).keys.sorted() == [0, 1, 3, 4, 10, 11, 13, 14])
        }
    }

    @Test(
        "Two of one key are never in one group", .timeLimit(.minutes(2)), arguments: DatabaseDriver.allCases)
    func sameKey(driver: DatabaseDriver) async throws {
        try await Self.withTables(driver) { database in
            let grouped = GroupedDatabase(database, width: 1)
            try await database.withTransaction { try await $0.execute("INSERT INTO thing (id, name) VALUES (1, '0')") }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<40 {
                    tasks.addTask {
                        try await grouped.withTransaction(on: .only(["one"])) { transaction in
                            let name = try await transaction.answer(
                                SQLQuery(Self.lookup, .integer(1)) { try $0[0].text("name") })
                            try await transaction.post(Self.update, [.integer(1), .text("\((Int(name) ?? -100) + 1)")])
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(try await Self.names(database) == [1: "40"])
        }
    }

    @Test("Who is cancelled while it waits has done nothing, and the others go on", .timeLimit(.minutes(2)))
    func cancelled() async throws {
        try await Self.withTables(.sqlite) { database in
            let grouped = GroupedDatabase(database, width: 1, patience: .seconds(60))
            let gate = Gate()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await grouped.withTransaction(on: .only(["gate"])) { _ in await gate.pass() } }
                await gate.arrived()
                let given = Task {
                    try await grouped.withTransaction(on: .only(["1"])) {
                        try await $0.post(Self.insert, [1, "cancelled"])
                    }
                }
                tasks.addTask {
                    try await grouped.withTransaction(on: .only(["2"])) { try await $0.post(Self.insert, [2, "done"]) }
                }
                while grouped.waitingCount < 2 { await Task.yield() }
                given.cancel()
                await #expect(throws: CancellationError.self) { try await given.value }
                gate.open()
                try await tasks.waitForAll()
            }
            #expect(try await Self.names(database) == [2: "done"])
        }
    }

    @Test("Who was cancelled before does not begin to wait", .timeLimit(.minutes(2)))
    func cancelledBefore() async throws {
        try await Self.withTables(.sqlite) { database in
            let grouped = GroupedDatabase(database, width: 1, patience: .seconds(60))
            let gate = Gate()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await grouped.withTransaction(on: .only(["gate"])) { _ in await gate.pass() } }
                await gate.arrived()
                let given = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await grouped.withTransaction(on: .only(["1"])) { try await $0.post(Self.insert, [1, "late"]) }
                }
                await #expect(throws: CancellationError.self) { try await given.value }
                #expect(grouped.waitingCount == 0)
                gate.open()
                try await tasks.waitForAll()
            }
        }
    }

    @Test("What is stuck does not keep others from beginning", .timeLimit(.minutes(2)))
    func stuck() async throws {
        try await Self.withTables(.postgres) { database in
            let grouped = GroupedDatabase(database, width: 1, patience: .milliseconds(5))
            let gate = Gate()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await grouped.withTransaction(on: .only(["gate"])) { _ in await gate.pass() } }
                await gate.arrived()
                try await grouped.withTransaction(on: .only(["1"])) { try await $0.post(Self.insert, [1, "beside"]) }
                #expect(try await Self.names(database) == [1: "beside"])
                gate.open()
                try await tasks.waitForAll()
            }
        }
    }

    @Test(
        "Many that write, ask, fail and repeat keys come out as they would alone", .timeLimit(.minutes(4)),
        arguments: DatabaseDriver.allCases)
    func many(driver: DatabaseDriver) async throws {
        try await Self.withTables(driver) { database in
            let grouped = GroupedDatabase(database)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in 0..<240 as Range<Int64> {
                    tasks.addTask {
                        do {
                            try await grouped.withTransaction(on: .only(["\(number % 50)"])) { transaction in
                                let before = try await transaction.answer(
                                    SQLQuery(Self.lookup, .integer(number)) { $0.count })
                                #expect(before == 0)
                                try await transaction.post(Self.insert, [.integer(number), "made"])
                                // Changes that return rows, and such whose number is asked for.
                                let renamed = try await transaction.query(
                                    "UPDATE thing SET name = 'named' WHERE id = $1 RETURNING name", [.integer(number)])
                                #expect(try renamed.map { try $0.text("name") } == ["named"])
                                if number % 11 == 3 { throw Refused() }
                                if number % 11 == 5 {
                                    try await transaction.post(Self.insert, [.integer(number), "twice"])
                                }
                                #expect(try await transaction.execute("DELETE FROM thing WHERE id = -1") == 0)
                                try await transaction.postLast(Self.numbered, [.text("\(number)")])
                            }
                            #expect(![3, 5].contains(number % 11))
                        } catch is Refused {
                            #expect(number % 11 == 3)
                        } catch let error as SQLError where error.kind == .uniqueViolation {
                            #expect(number % 11 == 5)
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            let expected = (0..<240 as Range<Int64>).filter { ![3, 5].contains($0 % 11) }
            #expect(try await Self.names(database).keys.sorted() == expected)
            let notes = try await database.queries([SQLStatement("SELECT id, text FROM note ORDER BY id")])[0]
            #expect(try notes.map { try $0.integer("id") } == (1...Int64(expected.count)).map { $0 })
            #expect(try notes.compactMap { Int64(try $0.text("text")) }.sorted() == expected)
        }
    }
}
