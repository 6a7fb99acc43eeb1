import Database
import DatabasePostgres
import Foundation
import Synchronization
import TestSupport
import Testing

/// A server that dies, is away, or does not let us in.
@Suite struct PostgresFaultTests {
    private static func error(of body: () async throws -> some Sendable) async -> SQLError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? SQLError
        }
    }

    private static func makeTable(_ database: PostgresDatabase) async throws {
        try await database.withTransaction { try await $0.execute("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY)") }
    }

    private static func insert(_ id: Int, _ database: PostgresDatabase) async throws {
        try await database.withTransaction { transaction in
            try await transaction.execute("INSERT INTO t (id) VALUES ($1)", [SQLValue(id)])
        }
    }

    private static func ids(_ database: PostgresDatabase) async throws -> [Int64] {
        try await database.read { try await $0.query("SELECT id FROM t ORDER BY id").map { try $0.integer("id") } }
    }

    @Test("A server that is killed and comes back has all that was committed, and is used again")
    func serverDies() async throws {
        let server = try PostgresServer()
        let name = try server.makeDatabase()
        let database = try PostgresDatabase(
            PostgresSettings(address: try PostgresAddress(server.address(of: name))), logger: quiet)
        try await database.verify()
        try await Self.makeTable(database)
        for id in 1...20 { try await Self.insert(id, database) }
        server.kill()
        for _ in 0..<3 {
            let error = await Self.error { try await Self.insert(99, database) }
            #expect(error?.kind == .connectionLost)
        }
        try server.start()
        try await waitUntil("the server is reached again") {
            // One whose outcome was unknown may have been made.
            let error = await Self.error { try await Self.insert(21, database) }
            return error == nil || error?.kind == .uniqueViolation
        }
        #expect(try await Self.ids(database) == Array(1...21))
    }

    @Test("A session that is ended in the middle of a transaction loses that transaction only")
    func sessionDies() async throws {
        try await withPostgresDatabase { database in
            try await Self.makeTable(database)
            let runs = Atomic(0)
            let error = await Self.error {
                try await database.withTransaction { transaction in
                    runs.add(1, ordering: .relaxed)
                    try await transaction.execute("INSERT INTO t (id) VALUES (1)")
                    let pid = try await transaction.query("SELECT pg_backend_pid() AS pid")[0].value("pid")
                    _ = try await database.read { try await $0.query("SELECT pg_terminate_backend($1::INT)", [pid]) }
                    try await transaction.execute("INSERT INTO t (id) VALUES (2)")
                }
            }
            #expect(error?.kind == .connectionLost)
            #expect(runs.load(ordering: .relaxed) == 1)
            try await Self.insert(3, database)
            #expect(try await Self.ids(database) == [3])
        }
    }

    @Test("A session that was ended while nobody used it is replaced without anybody noticing")
    func idleSessionDies() async throws {
        try await withPostgresDatabase { database in
            try await Self.makeTable(database)
            _ = try await Self.ids(database)
            let server = try PostgresServer.shared()
            let name = try await database.read {
                try await $0.query("SELECT current_database() AS name")[0].text("name")
            }
            let sessions = "FROM pg_stat_activity WHERE datname = '\(name)'"
            try server.query("SELECT pg_terminate_backend(pid) \(sessions)", in: "postgres")
            try await waitUntil("the sessions are gone") {
                try server.query("SELECT COUNT(*) \(sessions)", in: "postgres").hasPrefix("0")
            }
            _ = try await Self.ids(database)
            try await Self.insert(1, database)
            #expect(try await Self.ids(database) == [1])
        }
    }

    @Test("A commit whose answer is lost is said to be of unknown outcome, and is not tried again")
    func lostCommit() async throws {
        try await withPostgresDatabase { database in
            try await Self.makeTable(database)
            // The server ends the session in the middle of the commit.
            try await database.withTransaction { transaction in
                try await transaction.execute(
                    """
                    CREATE FUNCTION die() RETURNS TRIGGER LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END'
                    """)
                try await transaction.execute(
                    """
                    CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION die()
                    """)
            }
            let runs = Atomic(0)
            let error = await Self.error {
                try await database.withTransaction { transaction in
                    runs.add(1, ordering: .relaxed)
                    try await transaction.execute("INSERT INTO t (id) VALUES (1)")
                }
            }
            #expect(error?.kind == .outcomeUnknown)
            #expect(runs.load(ordering: .relaxed) == 1)
            #expect(try await Self.ids(database) == [])
        }
    }

    @Test("A server that hangs is given up after the time limit")
    func hangs() async throws {
        let server = try PostgresServer()
        try await withPostgresDatabase(on: server) {
            $0.statementTimeout = .milliseconds(200)
            $0.connectTimeout = .milliseconds(500)
        } _: { database in
            try await Self.makeTable(database)
            try server.freeze(true)
            let error = await Self.error { try await Self.insert(1, database) }
            #expect(error?.kind == .connectionLost)
            let second = await Self.error { try await Self.ids(database) }
            #expect(second?.kind == .connectionLost)
            try server.freeze(false)
            try await waitUntil("the server is reached again") {
                await Self.error { try await Self.insert(2, database) } == nil
            }
        }
    }

    @Test("A replica is refused with a sentence that names it", arguments: [true, false])
    func readOnly(isReplica: Bool) async throws {
        let server = try PostgresServer(
            settings: isReplica ? [:] : ["default_transaction_read_only": "on"],
            files: isReplica ? ["standby.signal": ""] : [:])
        let database = try PostgresDatabase(
            PostgresSettings(address: try PostgresAddress(server.address(of: "postgres"))), logger: quiet)
        let error = await Self.error { try await database.verify() }
        #expect(error?.kind == .readOnly)
        #expect(error?.message.contains(server.folder) == true)
        // Reading goes on.
        #expect(try await database.read { try await $0.query("SELECT 1 AS one")[0].integer("one") } == 1)
    }

    @Test(
        "Of several servers the one that takes writes is found, in either order, whatever is said about sessions",
        arguments: ["", "&target_session_attrs=read-write", "&target_session_attrs=primary"])
    func severalServers(attributes: String) async throws {
        let primary = try PostgresServer()
        let standby = try PostgresServer(files: ["standby.signal": ""])
        for folders in [[standby.folder, primary.folder], [primary.folder, standby.folder]] {
            let address = "postgres://app@/postgres?host=\(folders.joined(separator: ","))\(attributes)"
            let database = try PostgresDatabase(PostgresSettings(address: try PostgresAddress(address)), logger: quiet)
            try await database.verify()
            let read = try await database.read {
                try await $0.query("SELECT current_setting('transaction_read_only') AS word")[0].text("word")
            }
            #expect(read == "on")
            try await database.withTransaction { try await $0.execute("CREATE TABLE IF NOT EXISTS t (id BIGINT)") }
            #expect(try await Self.ids(database) == [])
        }
    }

    @Test("A primary that dies is left for the standby that was promoted, by sessions of every kind")
    func failOver() async throws {
        let primary = try PostgresServer()
        let standby = try PostgresServer(files: ["standby.signal": ""])
        let address =
            "postgres://app@/postgres?host=\(primary.folder),\(standby.folder)&target_session_attrs=read-write"
        let database = try PostgresDatabase(PostgresSettings(address: try PostgresAddress(address)), logger: quiet)
        try await database.verify()
        let before = try await database.storageIdentity()
        primary.kill()
        #expect(await Self.error { try await database.verify() } != nil)
        try standby.query("SELECT pg_promote(true, 60)", in: "postgres")
        try await waitUntil("the other server is used") { await Self.error { try await database.verify() } == nil }
        try await Self.makeTable(database)
        try await Self.insert(1, database)
        #expect(try await Self.ids(database) == [1])
        #expect(try await database.storageIdentity() != before)
    }

    @Test("A wrong password is said to be one, and never shown")
    func wrongPassword() async throws {
        let server = try PostgresServer(authentication: "local all app trust\nlocal all all scram-sha-256\n")
        try server.query("CREATE ROLE ann LOGIN PASSWORD 'right-secret'", in: "postgres")
        let address = try PostgresAddress(server.address(of: "postgres", user: "ann"))
        for (password, works) in [("right-secret", true), ("wrong-secret", false)] {
            let settings = PostgresSettings(address: address.with(password: password))
            let error = await Self.error { try await PostgresDatabase(settings, logger: quiet).verify() }
            #expect(error?.kind == (works ? nil : .accessDenied))
            #expect(error?.message.contains("ann") != false)
            let shown = "\(settings.address) \(error?.message ?? "")"
            #expect(!shown.contains("secret"))
        }
        let unknown = PostgresSettings(address: try PostgresAddress(server.address(of: "nowhere")))
        let error = await Self.error { try await PostgresDatabase(unknown, logger: quiet).verify() }
        #expect(error?.kind == .accessDenied)
    }

    @Test("A server that is not there is said to be out of reach, by its address")
    func unreachable() async throws {
        for text in ["postgres://ann:secret@127.0.0.1:1/x", "postgres://ann:secret@/x?host=/nowhere"] {
            let settings = PostgresSettings(address: try PostgresAddress(text))
            let error = await Self.error { try await PostgresDatabase(settings, logger: quiet).verify() }
            #expect(error?.kind == .connectionLost)
            #expect(error?.message.contains("127.0.0.1") == true || error?.message.contains("/nowhere") == true)
            #expect(error?.message.contains("secret") == false)
        }
    }

    @Test(
        "A text that is no address is refused without repeating it",
        arguments: ["", "postgres://a:sec%zzret@h/x", "hello"])
    func addresses(text: String) {
        if text.isEmpty {
            #expect(throws: Never.self) { try PostgresAddress(text) }
        } else {
            #expect {
                _ = try PostgresAddress(text)
            } throws: {
                let shown = "\($0)"
                return ($0 as? SQLError)?.kind == .unsuitable && !shown.contains("sec")
            }
        }
    }

    @Test("An address is shown without its password")
    func redaction() throws {
        let address = try PostgresAddress("postgresql://ann:p%40ss@db1:5433,db2:5434/site?sslmode=verify-full")
        #expect(address.description == "postgres://ann@db1:5433,db2:5434/site")
        #expect(address.hasPassword)
    }
}
