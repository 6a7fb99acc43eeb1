import Database
import DatabaseSQLite
import TestSupport
import Testing

/// Transactions of SQLite that are committed together.
@Suite struct SharedCommitTests {
    private struct Refused: Error {}

    private static func withTable(_ body: (SQLiteDatabase, _ path: String) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/test.sqlite"
            let database = try SQLiteDatabase(path: path)
            try await database.withTransaction { transaction in
                try await transaction.execute("CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, name TEXT)")
            }
            try await body(database, path)
        }
    }

    private static func ids(_ database: SQLiteDatabase) async throws -> [Int64] {
        try await database.read { transaction in
            try await transaction.query("SELECT id FROM thing ORDER BY id").map { try $0.integer("id") }
        }
    }

    @Test("Who is told of success finds it in the file, and who fails takes nobody along", .timeLimit(.minutes(2)))
    func mixed() async throws {
        try await Self.withTable { database, path in
            let outcomes = try await withThrowingTaskGroup(of: (Int64, Bool).self) { group in
                for number in 0..<300 as Range<Int64> {
                    group.addTask {
                        do {
                            try await database.withTransaction { transaction in
                                try await transaction.execute(
                                    "INSERT INTO thing (id, name) VALUES ($1, 'a')", [.integer(number)])
                                // A refusal of ours, of the database, at the end, and none.
                                switch number % 7 {
                                case 1: throw Refused()
                                case 2:
                                    try await transaction.execute(
                                        "INSERT INTO thing (id, name) VALUES ($1, 'b')", [.integer(number)])
                                case 3:
                                    try await transaction.postLast(
                                        "INSERT INTO thing (id, name) VALUES ($1, 'c')", [.integer(number)])
                                default: break
                                }
                            }
                            // Nothing is told before it is committed: another program sees it too.
                            let other = try SQLiteDatabase(path: path)
                            let found = try await other.queries([
                                SQLStatement("SELECT name FROM thing WHERE id = $1", [.integer(number)])
                            ])
                            #expect(found[0].count == 1)
                            return (number, true)
                        } catch is SQLError {
                            return (number, false)
                        } catch is Refused {
                            return (number, false)
                        }
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            let expected = (0..<300 as Range<Int64>).filter { ![1, 2, 3].contains($0 % 7) }
            #expect(outcomes.filter(\.value).keys.sorted() == expected)
            #expect(try await Self.ids(database) == expected)
        }
    }

    @Test("A file that takes no more keeps what was reported, and nothing else", .timeLimit(.minutes(2)))
    func full() async throws {
        try await Self.withTable { database, _ in
            let pages = try await database.withTransaction { transaction in
                try await transaction.query("PRAGMA page_count")[0].integer("page_count")
            }
            try await database.withTransaction { transaction in
                _ = try await transaction.query("PRAGMA max_page_count = \(pages + 40)")
            }
            let text = String(repeating: "x", count: 9000)
            let kept = await withTaskGroup(of: Int64?.self) { group in
                for number in 0..<60 as Range<Int64> {
                    group.addTask {
                        do {
                            try await database.withTransaction { transaction in
                                try await transaction.execute(
                                    "INSERT INTO thing (id, name) VALUES ($1, $2)", [.integer(number), .text(text)])
                            }
                            return number
                        } catch {
                            return nil
                        }
                    }
                }
                return await group.reduce(into: [Int64]()) { if let number = $1 { $0.append(number) } }
            }
            #expect(kept.count < 60)
            #expect(try await Self.ids(database) == kept.sorted())
            _ = try await database.withTransaction { try await $0.query("PRAGMA max_page_count = 100000") }
            try await database.withTransaction { try await $0.execute("INSERT INTO thing (id) VALUES (1000)") }
            #expect(try await Self.ids(database).last == 1000)
        }
    }

    @Test("One that is cancelled while it waits leaves the others alone", .timeLimit(.minutes(2)))
    func cancelled() async throws {
        try await Self.withTable { database, _ in
            let tasks = (0..<60 as Range<Int64>).map { number in
                Task {
                    try await database.withTransaction { transaction in
                        try await transaction.execute("INSERT INTO thing (id) VALUES ($1)", [.integer(number)])
                        try await transaction.execute("UPDATE thing SET name = 'x' WHERE id = $1", [.integer(number)])
                    }
                }
            }
            for task in tasks.enumerated() where task.offset.isMultiple(of: 3) { task.element.cancel() }
            var done: [Int64] = []
            for (number, task) in tasks.enumerated() {
                if case .success = await task.result { done.append(Int64(number)) }
            }
            #expect(Set(done).isSuperset(of: (0..<60 as Range<Int64>).filter { $0 % 3 != 0 }))
            let found = try await Self.ids(database)
            #expect(found == done)
        }
    }
}
