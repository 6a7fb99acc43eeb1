import Database
import DatabasePostgres
import Foundation
import Synchronization
import TestSupport
import Testing

/// What only PostgreSQL can do or suffer while its server lives.
@Suite struct PostgresDatabaseTests {
    private static func kind(of body: () async throws -> some Sendable) async -> SQLError.Kind? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? SQLError)?.kind
        }
    }

    private static func raise(_ state: String) -> String {
        "DO $$ BEGIN RAISE EXCEPTION 'told to' USING ERRCODE = '\(state)'; END $$"
    }

    @Test("The server knows us by name, and what it promises is known")
    func facts() async throws {
        let server = try PostgresServer()
        try await withPostgresDatabase(on: server) { database in
            let facts = try await database.verify()
            #expect(facts.version.hasPrefix("15"))
            #expect(facts.isDurable)
            let name = try await database.read {
                try await $0.query("SELECT current_setting('application_name') AS name")[0].text("name")
            }
            #expect(name == "pagewright")
        }
        let quickFacts = try await withPostgresDatabase { try await $0.verify() }
        #expect(!quickFacts.isDurable)
    }

    @Test("A server says what it is as a primary and as a standby, and another word once it was promoted")
    func identity() async throws {
        let server = try PostgresServer(settings: ["wal_level": "replica"])
        let (primary, again) = try await withPostgresDatabase(on: server) {
            (try await $0.storageIdentity(), try await $0.storageIdentity())
        }
        #expect(primary != nil && primary == again)
        let standby = try PostgresServer(files: ["standby.signal": ""])
        let database = try PostgresDatabase(
            PostgresSettings(address: try PostgresAddress(standby.address(of: "postgres"))), logger: quiet)
        let before = try await database.storageIdentity()
        #expect(before?.hasSuffix(":00000001") == true)
        try standby.query("SELECT pg_promote(true, 60)", in: "postgres")
        let after = try await database.storageIdentity()
        #expect(after?.hasSuffix(":00000002") == true)
    }

    @Test("A database that sorts text as a language does, or holds no Unicode, is refused with what to do")
    func unsuitable() async throws {
        let other = "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
        try await withPostgresDatabase(options: other) { database in
            await #expect {
                try await database.verify()
            } throws: {
                ($0 as? SQLError)?.kind == .unsuitable && "\($0)".contains("ENCODING 'UTF8'")
            }
        }
        let german = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C.UTF-8'"
        try await withPostgresDatabase(options: german) { database in
            await #expect {
                try await database.verify()
            } throws: {
                ($0 as? SQLError)?.kind == .unsuitable && "\($0)".contains("sorts text")
            }
        }
    }

    @Test("A transaction in the way of another runs again", arguments: ["40001", "40P01"])
    func triesAgain(state: String) async throws {
        try await withPostgresDatabase { database in
            let runs = Atomic(0)
            try await database.withTransaction { transaction in
                if runs.wrappingAdd(1, ordering: .relaxed).newValue < 3 {
                    try await transaction.execute(Self.raise(state))
                }
            }
            #expect(runs.load(ordering: .relaxed) == 3)
        }
    }

    @Test("A transaction that always fails is given up")
    func givesUp() async throws {
        try await withPostgresDatabase { database in
            let runs = Atomic(0)
            let kind = await Self.kind {
                try await database.withTransaction { transaction in
                    runs.add(1, ordering: .relaxed)
                    try await transaction.execute(Self.raise("40001"))
                }
            }
            #expect(kind == .serializationFailure)
            #expect(runs.load(ordering: .relaxed) == PostgresDatabase.attempts)
        }
    }

    @Test("Two transactions that wait for each other both end well")
    func deadlock() async throws {
        try await withPostgresDatabase { database in
            try await database.withTransaction { transaction in
                try await transaction.execute("CREATE TABLE t (id BIGINT, value BIGINT)")
                try await transaction.execute("INSERT INTO t VALUES (1, 0), (2, 0)")
            }
            try await withThrowingDiscardingTaskGroup { group in
                for (first, second) in [(1, 2), (2, 1)] {
                    group.addTask {
                        try await database.withTransaction(on: .only(["\(first)"])) { transaction in
                            for id in [first, second] {
                                try await transaction.execute(
                                    "UPDATE t SET value = value + 1 WHERE id = $1", [SQLValue(id)])
                                try await Task.sleep(for: .milliseconds(300))
                            }
                        }
                    }
                }
            }
            let sum = try await database.read {
                try await $0.query("SELECT SUM(value) AS sum FROM t")[0].integer("sum")
            }
            #expect(sum == 4)
        }
    }

    @Test("Two coordinators lose no update of each other")
    func twoCoordinators() async throws {
        try await withPostgresDatabase { first in
            let second = try PostgresDatabase(first.settings, logger: quiet)
            try await first.withTransaction { transaction in
                try await transaction.execute("CREATE TABLE t (value BIGINT)")
                try await transaction.execute("INSERT INTO t VALUES (0)")
            }
            try await withThrowingDiscardingTaskGroup { group in
                for round in 0..<60 {
                    group.addTask {
                        try await (round % 2 == 0 ? first : second).withTransaction { transaction in
                            let value = try await transaction.query("SELECT value FROM t")[0].integer("value")
                            try await transaction.execute("UPDATE t SET value = $1", [.integer(value + 1)])
                        }
                    }
                }
            }
            #expect(try await second.read { try await $0.query("SELECT value FROM t")[0].integer("value") } == 60)
        }
    }

    @Test("A statement, and the wait for a lock, end after their time, and the connection is used again")
    func timeouts() async throws {
        try await withPostgresDatabase {
            $0.statementTimeout = .milliseconds(300)
            $0.writers = 2
            $0.readers = 1
        } _: { database in
            let kind = await Self.kind { try await database.read { try await $0.query("SELECT pg_sleep(60)") } }
            #expect(kind == .timeout)
            let one = try await database.read { try await $0.query("SELECT 1 AS one")[0].integer("one") }
            #expect(one == 1)
        }
        try await withPostgresDatabase {
            $0.lockTimeout = .milliseconds(300)
        } _: { database in
            try await database.withTransaction { _ in
                // The first statement takes the lock.
            }
            try await database.withTransaction { holder in
                _ = try await holder.query("SELECT 1 AS one")
                let kind = await Self.kind {
                    try await database.withTransaction(on: .only(["a"])) { try await $0.query("SELECT 1 AS one") }
                }
                #expect(kind == .timeout)
            }
        }
    }

    @Test("A cancelled task stops its statement on the server, and the connection is used again")
    func cancellation() async throws {
        try await withPostgresDatabase {
            $0.readers = 1
        } _: { database in
            func session() async throws -> Int64 {
                try await database.read { try await $0.query("SELECT pg_backend_pid() AS pid")[0].integer("pid") }
            }
            let before = try await session()
            let task = Task { try await database.read { try await $0.query("SELECT pg_sleep(120)") } }
            let active =
                "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)' AND state = 'active'"
            func sleepers() async throws -> Int64 {
                try await database.withTransaction { try await $0.query(active)[0].integer("n") }
            }
            try await waitUntil("the statement runs") { try await sleepers() == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            #expect(try await sleepers() == 0)
            #expect(try await session() == before)
        }
    }

    @Test("Questions that are asked together are a transaction on one snapshot that cannot write")
    func questions() async throws {
        try await withPostgresDatabase { database in
            let rows = try await database.queries([
                SQLStatement(
                    """
                    SELECT current_setting('transaction_isolation') AS isolation,
                        current_setting('transaction_read_only') AS kind, pg_current_snapshot()::TEXT AS snapshot
                    """),
                SQLStatement("SELECT pg_current_snapshot()::TEXT AS snapshot"),
            ])
            #expect(try rows[0][0].text("isolation") == "repeatable read")
            #expect(try rows[0][0].text("kind") == "on")
            #expect(try rows[0][0].text("snapshot") == rows[1][0].text("snapshot"))
            let refused = await Self.kind {
                try await database.queries([SQLStatement("CREATE TABLE thing (id BIGINT)")])
            }
            #expect(refused == .readOnly)
            // The connection is of use afterwards.
            #expect(try await database.queries([SQLStatement("SELECT 1 AS one")])[0][0].integer("one") == 1)
        }
    }

    @Test("When all connections are in use, callers wait for so long, and only so many")
    func exhaustion() async throws {
        try await withPostgresDatabase {
            $0.readers = 1
            $0.waitingTimeout = .milliseconds(400)
            $0.waitingLimit = 1
        } _: { database in
            try await database.read { reader in
                _ = try await reader.query("SELECT 1 AS one")
                async let first = Self.kind { try await database.read { try await $0.query("SELECT 1 AS one") } }
                async let second = Self.kind { try await database.read { try await $0.query("SELECT 1 AS one") } }
                #expect(await first == .timeout)
                #expect(await second == .timeout)
            }
            #expect(try await database.read { try await $0.query("SELECT 1 AS one")[0].integer("one") } == 1)
        }
    }

    @Test("Many more callers than connections all get their turn")
    func crowd() async throws {
        try await withPostgresDatabase {
            $0.readers = 2
        } _: { database in
            let sessions = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let row = try await database.read {
                            try await $0.query(
                                "SELECT $1::BIGINT AS number, pg_backend_pid() AS session", [SQLValue(number)])[0]
                        }
                        #expect(try row.integer("number") == Int64(number))
                        return try row.integer("session")
                    }
                }
                return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
            }
            #expect(sessions.count == 2)
        }
    }

    @Test("A column that is added while statements are prepared is no error")
    func stalePlans() async throws {
        try await withPostgresDatabase { database in
            try await database.withTransaction { transaction in
                try await transaction.execute("CREATE TABLE t (a BIGINT)")
                try await transaction.execute("INSERT INTO t VALUES (1)")
            }
            for _ in 0..<2 { _ = try await database.read { try await $0.query("SELECT * FROM t") } }
            try await database.withTransaction { try await $0.execute("ALTER TABLE t ADD COLUMN b BIGINT DEFAULT 2") }
            let row = try await database.read { try await $0.query("SELECT * FROM t")[0] }
            #expect(try row.integer("b") == 2)
        }
    }

    @Test("A connection keeps only so many statements prepared")
    func preparedStatements() async throws {
        try await withPostgresDatabase {
            $0.readers = 1
            $0.preparedStatementLimit = 6
        } _: { database in
            for number in 0..<50 {
                let answer = try await database.read {
                    try await $0.query("SELECT \(number) AS number")[0].integer("number")
                }
                #expect(answer == Int64(number))
            }
            let count = try await database.read {
                try await $0.query("SELECT COUNT(*) AS n FROM pg_prepared_statements")[0].integer("n")
            }
            #expect((2...6).contains(count))
        }
    }

    @Test("A column of a type that nobody expects is refused")
    func unknownType() async throws {
        try await withPostgresDatabase { database in
            #expect(
                await Self.kind { try await database.read { try await $0.query("SELECT '{}'::JSON AS x") } } == .badRow)
            #expect(await Self.kind { try await database.read { try await $0.query("SELECT 1.5 AS x") } } == .badRow)
            #expect(
                await Self.kind { try await database.read { try await $0.query("SELECT 10^30::NUMERIC AS x") } }
                    == .badRow)
        }
    }
}

/// Waits for something to become true; a minute at most.
func waitUntil(_ what: String, _ holds: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !holds() {
        try #require(ContinuousClock.now < deadline, "waited too long for: \(what)")
        try await Task.sleep(for: .milliseconds(20))
    }
}
