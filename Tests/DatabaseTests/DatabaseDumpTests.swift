import Database
import Domain
import Persistence
import Synchronization
import TestSupport
import Testing

/// A database as a stream, and back.
@Suite struct DatabaseDumpTests {
    private static func fill(_ database: any SQLDatabase) async throws {
        try await database.withTransaction { transaction in
            for number in 0..<450 {
                try await transaction.execute(
                    "INSERT INTO file_facts (digest, kind, facts) VALUES ($1, 'é\"x', $2)",
                    [.text("d\(number)"), .blob([0, 255, UInt8(number & 255)])])
            }
            try await transaction.execute("UPDATE counter SET value = 41 WHERE name = 'event'")
        }
    }

    private final class Pieces: Sendable {
        let all = Mutex<[DatabaseDump.Piece]>([])
    }

    private static func dump(_ database: any SQLDatabase) async throws -> [DatabaseDump.Piece] {
        let pieces = Pieces()
        _ = try await DatabaseDump().read(database) { piece in pieces.all.withLock { $0.append(piece) } }
        return pieces.all.withLock { $0 }
    }

    private static func load(_ pieces: [DatabaseDump.Piece], into database: any SQLDatabase) async throws -> Int {
        try await database.withTransaction { transaction in
            var rest = pieces[...]
            return try await DatabaseLoad(tables: Schema.tables()).run(in: transaction) { rest.popFirst() }
        }
    }

    private static let ways: [(DatabaseDriver, DatabaseDriver)] = [
        (.sqlite, .sqlite), (.sqlite, .postgres), (.postgres, .sqlite), (.postgres, .postgres),
    ]

    @Test("Everything arrives as it was, whatever kind of database it goes to", arguments: ways)
    func all(from: DatabaseDriver, to: DatabaseDriver) async throws {
        try await from.withMigratedDatabase { source in
            try await Self.fill(source)
            let pieces = try await Self.dump(source)
            try await to.withMigratedDatabase { target in
                let count = try await Self.load(pieces, into: target)
                #expect(count > 450)
                let again = try await Self.dump(target)
                #expect(again == pieces)
            }
        }
    }

    @Test("A database that is not empty takes nothing", arguments: DatabaseDriver.allCases)
    func occupied(driver: DatabaseDriver) async throws {
        try await driver.withMigratedDatabase { database in
            try await Self.fill(database)
            let pieces = try await Self.dump(database)
            let error = await #expect(throws: ServiceError.self) { try await Self.load(pieces, into: database) }
            #expect(error?.rule == "restore-target-empty")
        }
    }

    @Test("A row that is not what it was, or one too few, leaves nothing behind", arguments: DatabaseDriver.allCases)
    func changed(driver: DatabaseDriver) async throws {
        try await driver.withMigratedDatabase { source in
            try await Self.fill(source)
            var pieces = try await Self.dump(source)
            let index = try #require(
                pieces.firstIndex { if case .rows(let rows) = $0 { rows.count > 100 } else { false } })
            guard case .rows(var rows) = pieces[index] else {
                Issue.record("that piece has no rows")
                return
            }
            rows.removeLast()
            pieces[index] = .rows(rows)
            let damaged = pieces
            try await driver.withMigratedDatabase { target in
                let error = await #expect(throws: ServiceError.self) { try await Self.load(damaged, into: target) }
                #expect(error?.rule == "restore-differs")
                let left = try await target.read { try await $0.query("SELECT digest FROM file_facts LIMIT 1") }
                #expect(left.isEmpty)
            }
        }
    }
}
