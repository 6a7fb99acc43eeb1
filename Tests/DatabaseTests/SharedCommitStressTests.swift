import Database
import DatabaseSQLite
import Synchronization
import TestSupport
import Testing

/// Many writers of SQLite at once, some of which fail after they have written, and some of which build on what others did.
@Suite(.timeLimit(.minutes(3))) struct SharedCommitStressTests {
    private struct Refused: Error {}

    private final class Tally: Sendable {
        let count = Mutex(0)
    }

    /// Numbers that look random and are the same in every run.
    private struct Dice: Sendable {
        private var state: UInt64

        init(_ seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

        mutating func below(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 33) % bound
        }
    }

    /// What was reported, and what is only hoped for.
    private final class Book: Sendable {
        struct Pages: Sendable {
            var owners: [Int64] = []
            var things: [Int64] = []
            /// Of cancelled tasks, which came too late or not.
            var uncertain: Set<Int64> = []
            var last: Int64 = 0
        }

        let pages = Mutex(Pages())

        func next() -> Int64 {
            pages.withLock {
                $0.last += 1
                return $0.last
            }
        }

        func anyOwner(_ dice: inout Dice) -> Int64? {
            let owners = pages.withLock(\.owners)
            return owners.isEmpty ? nil : owners[dice.below(owners.count)]
        }
    }

    private static func withTables(_ body: (SQLiteDatabase, _ other: SQLiteDatabase) async throws -> Void) async throws
    {
        try await withTemporaryDirectory { folder in
            let path = folder + "/test.sqlite"
            let database = try SQLiteDatabase(path: path)
            try await database.withTransaction { transaction in
                try await transaction.execute("CREATE TABLE owner (id BIGINT NOT NULL PRIMARY KEY, text TEXT)")
                try await transaction.execute(
                    """
                    CREATE TABLE thing (
                        id BIGINT NOT NULL PRIMARY KEY, owner_id BIGINT NOT NULL REFERENCES owner(id))
                    """)
            }
            // Another program, which sees only what is committed.
            try await body(database, try SQLiteDatabase(path: path))
        }
    }

    private static func insert(
        owner id: Int64, text: String = "", in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute("INSERT INTO owner (id, text) VALUES ($1, $2)", [.integer(id), .text(text)])
    }

    private static func insert(thing id: Int64, of owner: Int64, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "INSERT INTO thing (id, owner_id) VALUES ($1, $2)", [.integer(id), .integer(owner)])
    }

    private static func ids(of table: String, in database: SQLiteDatabase) async throws -> Set<Int64> {
        let rows = try await database.queries([SQLStatement("SELECT id FROM \(table)", [])])
        return Set(try rows[0].map { try $0.integer("id") })
    }

    /// One that must succeed, and what it made.
    private static func build(
        on database: SQLiteDatabase, _ book: Book, text: String = "",
        _ body: @Sendable @escaping (any SQLTransaction, _ owner: Int64, _ thing: Int64) async throws -> Bool
    ) async throws {
        let owner = book.next(), thing = book.next()
        let madeOwner = try await database.withTransaction { try await body($0, owner, thing) }
        book.pages.withLock {
            if madeOwner { $0.owners.append(owner) }
            $0.things.append(thing)
        }
    }

    /// A turn of one writer. Throws when one failed that had no reason to.
    private static func turn(_ kind: Int, _ dice: inout Dice, _ database: SQLiteDatabase, _ book: Book) async throws {
        switch kind {
        case 0, 1:
            try await build(on: database, book) { transaction, owner, thing in
                try await insert(owner: owner, in: transaction)
                try await insert(thing: thing, of: owner, in: transaction)
                return true
            }
        case 2, 3:
            // An owner that an earlier transaction was said to have made.
            guard let owner = book.anyOwner(&dice) else { return }
            try await build(on: database, book) { transaction, _, thing in
                try await insert(thing: thing, of: owner, in: transaction)
                return false
            }
        case 4, 5:
            // The newest owner that this one can see, who may not be committed yet.
            try await build(on: database, book) { transaction, owner, thing in
                let newest = try await transaction.query("SELECT id FROM owner ORDER BY id DESC LIMIT 1").first
                if newest == nil { try await insert(owner: owner, in: transaction) }
                try await insert(thing: thing, of: newest.map { try $0.integer("id") } ?? owner, in: transaction)
                return newest == nil
            }
        default:
            try await fail(kind, database, book)
        }
    }

    /// A turn of one that writes and fails, by a refusal of its own, of the database, at the end, or by being cancelled.
    private static func fail(_ kind: Int, _ database: SQLiteDatabase, _ book: Book) async throws {
        let owner = book.next(), thing = book.next()
        let task = Task {
            try await database.withTransaction { transaction in
                try await insert(owner: owner, in: transaction)
                try await insert(thing: thing, of: owner, in: transaction)
                switch kind {
                case 6: throw Refused()
                case 7: try await insert(owner: owner, in: transaction)
                case 8:
                    try await transaction.postLast("INSERT INTO owner (id) VALUES ($1)", [.integer(owner)])
                case 9: try? await insert(thing: -thing, of: -1, in: transaction)
                default: try await transaction.execute("UPDATE owner SET text = 'b' WHERE id = $1", [.integer(owner)])
                }
            }
        }
        if kind == 10 {
            task.cancel()
            book.pages.withLock { $0.uncertain.formUnion([owner, thing]) }
        }
        let outcome = await task.result
        #expect(kind == 10 || (try? outcome.get()) == nil, "it should have failed")
    }

    @Test("Nobody misses a row that was reported or seen, whoever fails beside it", arguments: 1...4)
    func mixed(seed: Int) async throws {
        try await Self.withTables { database, other in
            let book = Book()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<24 {
                    group.addTask {
                        var dice = Dice(seed * 1000 + writer)
                        for _ in 0..<50 { try await Self.turn(dice.below(11), &dice, database, book) }
                    }
                }
                try await group.waitForAll()
            }
            let pages = book.pages.withLock { $0 }
            let owners = try await Self.ids(of: "owner", in: other)
            #expect(owners.subtracting(pages.uncertain) == Set(pages.owners))
            let things = try await Self.ids(of: "thing", in: other)
            #expect(things.subtracting(pages.uncertain) == Set(pages.things))
            let broken = try await other.queries([SQLStatement("PRAGMA foreign_key_check", [])])
            #expect(broken[0].isEmpty)
        }
    }

    @Test("When a commit of many fails, nobody is told of success who built on its rows")
    func fullTogether() async throws {
        try await Self.withTables { database, other in
            let pages = try await database.withTransaction {
                try await $0.query("PRAGMA page_count")[0].integer("page_count")
            }
            let book = Book()
            let text = String(repeating: "x", count: 5000)
            for round in 1...8 as ClosedRange<Int64> {
                _ = try await database.withTransaction {
                    try await $0.query("PRAGMA max_page_count = \(pages + 10 * round)")
                }
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            do {
                                try await Self.build(on: database, book) { transaction, owner, thing in
                                    let newest = try await transaction.query(
                                        "SELECT id FROM owner ORDER BY id DESC LIMIT 1"
                                    ).first
                                    let isNew = newest == nil || number.isMultiple(of: 3)
                                    if isNew { try await Self.insert(owner: owner, text: text, in: transaction) }
                                    try await Self.insert(
                                        thing: thing, of: isNew ? owner : try newest?.integer("id") ?? owner,
                                        in: transaction)
                                    return isNew
                                }
                            } catch let error as SQLError {
                                #expect(error.kind == .storageFull)
                            } catch {
                                Issue.record(error)
                            }
                        }
                    }
                }
            }
            let told = book.pages.withLock { $0 }
            #expect(try await Self.ids(of: "owner", in: other) == Set(told.owners))
            #expect(try await Self.ids(of: "thing", in: other) == Set(told.things))
            #expect(told.things.count < 320)
        }
    }

    @Test("Who is refused for what a neighbour wrote hears of it when that is on the disk")
    func refusedForNeighbour() async throws {
        try await Self.withTables { database, other in
            let refusals = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 as Range<Int64> {
                    group.addTask {
                        let id = number % 40
                        do {
                            try await database.withTransaction { transaction in
                                let found = try await transaction.query(
                                    "SELECT id FROM owner WHERE id = $1", [.integer(id)])
                                guard found.isEmpty else { throw Refused() }
                                try await Self.insert(owner: id, in: transaction)
                            }
                        } catch is Refused {
                            refusals.count.withLock { $0 += 1 }
                            let kept = try await Self.ids(of: "owner", in: other)
                            #expect(kept.contains(id))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(refusals.count.withLock { $0 } == 360)
        }
    }

    @Test("On PostgreSQL too, who is refused for what a neighbour wrote hears of it when that is on the disk")
    func refusedForNeighbourOnPostgres() async throws {
        struct Seen: Error { let position: String }
        // One that waits for its disk, as that of the other tests does not.
        let server = try PostgresServer()
        try await withPostgresDatabase(on: server) { database in
            try await database.withTransaction {
                try await $0.execute("CREATE TABLE owner (id BIGINT NOT NULL PRIMARY KEY)")
            }
            let refusals = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 as Range<Int64> {
                    group.addTask {
                        let id = SQLValue.integer(number % 40)
                        do {
                            try await database.withTransaction { transaction in
                                let found = try await transaction.query("SELECT id FROM owner WHERE id = $1", [id])
                                guard found.isEmpty else {
                                    let row = try await transaction.query(
                                        "SELECT pg_current_wal_insert_lsn()::TEXT AS position")[0]
                                    throw Seen(position: try row.text("position"))
                                }
                                try await transaction.execute("INSERT INTO owner (id) VALUES ($1)", [id])
                            }
                        } catch let seen as Seen {
                            refusals.count.withLock { $0 += 1 }
                            let isFlushed = try await database.read {
                                try await $0.query(
                                    """
                                    SELECT CASE WHEN pg_current_wal_flush_lsn() >= ($1::TEXT)::pg_lsn THEN 1 ELSE 0 END
                                        AS is_flushed
                                    """, [.text(seen.position)])[0].integer("is_flushed")
                            }
                            #expect(isFlushed == 1)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(refusals.count.withLock { $0 } == 360)
        }
    }
}
