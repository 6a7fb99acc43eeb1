import Artifacts
import Database
import Domain
import FleetIdentity
import Foundation
import Persistence
import TestSupport
import Testing

@testable import Coordinator

/// Everything is lost, and comes back.
@Suite struct BackupTests {
    private static func rooms(
        _ kind: BackupDatabase = .sqlite, _ body: @Sendable (BackupRooms) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            try await kind.with(folder) { try await body(try await BackupRooms.open(folder, $0)) }
        }
    }

    @Test(
        "A backup that was made while others wrote brings back one instant: rows, keys and contents",
        arguments: BackupDatabase.allCases)
    func underLoad(kind: BackupDatabase) async throws {
        try await Self.rooms(kind) { rooms in
            let vault = try await rooms.vault()
            // Two rows at once, always: a backup of one instant has as many of the one as of the other.
            let run = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<100_000 {
                        if Task.isCancelled { return }
                        try await rooms.database.withTransaction { transaction in
                            for kind in ["a", "b"] {
                                try await transaction.execute(
                                    "INSERT INTO file_facts (digest, kind, facts) VALUES ($1, $2, $3)",
                                    [.text("d\(number)"), .text(kind), .blob([1])])
                            }
                        }
                    }
                }
                defer { group.cancelAll() }
                return try await rooms.backUp(vault)
            }
            #expect(run.isGood && run.blobs == 5)
            try await kind.with(rooms.folder) { restored in
                let store = try await DirectoryBlobStore(directory: rooms.folder + "/new-blobs", pool: rooms.pool)
                let report = try await rooms.restore(vault, into: restored, blobs: store)
                #expect(report.rows == run.rows)
                #expect(report.broughtBlobs == 5 && report.missingBlobs.isEmpty)
                let files = try rooms.files
                #expect(report.files == files)
                for number in 0..<5 {
                    let digest = ContentDigest(hashing: "content \(number)")
                    #expect(try await store.read(digest, limit: 100) == Array("content \(number)".utf8))
                }
                let counts = try await restored.read { transaction in
                    try await transaction.query(
                        "SELECT kind, COUNT(*) AS number FROM file_facts GROUP BY kind ORDER BY kind"
                    ).map { try $0.integer("number") }
                }
                #expect(Set(counts).count <= 1)
                let name = try await restored.read {
                    try await $0.query("SELECT name FROM site WHERE slug = 'bakery'")[0].text("name")
                }
                #expect(name == "Bäckerei")
            }
        }
    }

    @Test(
        "What was restored is in recovery, and its fences are above all of before", arguments: BackupDatabase.allCases)
    func recovery(kind: BackupDatabase) async throws {
        try await Self.rooms(kind) { rooms in
            let vault = try await rooms.vault()
            _ = try await rooms.backUp(vault, copiesBlobs: false)
            // Given out after the backup: nobody knows of it any more.
            try await rooms.database.withTransaction { transaction in
                try await transaction.execute("UPDATE site SET fence = 4000")
            }
            try await kind.with(rooms.folder) { restored in
                let report = try await rooms.restore(vault, into: restored)
                #expect(report.incarnation > .first)
                let (record, fence) = try await restored.read { transaction in
                    (
                        try await Stores().installation.find(in: transaction),
                        try await transaction.query("SELECT fence FROM site")[0].integer("fence")
                    )
                }
                #expect(record.recovery?.reason.contains("restored from the backup") == true)
                #expect(fence > 4000)
                #expect(try await restored.auditRows()["backup.restored"] == 1)
            }
        }
    }

    @Test("Another passphrase is refused, for a restore and for a next backup in the same place")
    func passphrase() async throws {
        try await Self.rooms { rooms in
            _ = try await rooms.backUp(try await rooms.vault())
            let other = try await rooms.vault("another passphrase")
            try await BackupDatabase.sqlite.with(rooms.folder) { restored in
                let error = await #expect(throws: ServiceError.self) { try await rooms.restore(other, into: restored) }
                #expect(error?.rule == "passphrase-wrong")
            }
            let error = await #expect(throws: ServiceError.self) { try await rooms.backUp(other) }
            #expect(error?.rule == "passphrase-other")
        }
    }

    @Test("A backup with one changed byte is refused, and leaves the database as it was")
    func damaged() async throws {
        try await Self.rooms { rooms in
            let vault = try await rooms.vault()
            let run = try await rooms.backUp(vault)
            let path = rooms.folder + "/place/" + run.name
            var bytes = try Data(contentsOf: URL(filePath: path))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(filePath: path))
            try await BackupDatabase.sqlite.with(rooms.folder) { restored in
                let error = await #expect(throws: ServiceError.self) { try await rooms.restore(vault, into: restored) }
                #expect(error?.rule == "seal-damaged")
                await #expect(throws: (any Error).self) {
                    try await restored.read { try await $0.query("SELECT id FROM site") }
                }
            }
            let drill = try await rooms.drill(vault)
            #expect(!drill.isGood && drill.detail.contains("damaged"))
        }
    }

    @Test("A database that is in use is not restored over")
    func occupied() async throws {
        try await Self.rooms { rooms in
            let vault = try await rooms.vault()
            _ = try await rooms.backUp(vault)
            let error = await #expect(throws: ServiceError.self) {
                try await rooms.restore(vault, into: rooms.database)
            }
            #expect(error?.rule == "restore-target-empty")
        }
    }

    @Test("Large rows come in pieces that a restore takes")
    func largeRows() async throws {
        try await Self.rooms { rooms in
            try await rooms.database.withTransaction { transaction in
                for number in 0..<20 {
                    try await transaction.execute(
                        "INSERT INTO file_facts (digest, kind, facts) VALUES ($1, $2, $3)",
                        [.text("d\(number)"), .text("a"), .blob([UInt8](repeating: 1, count: 1 << 20))])
                }
            }
            _ = try await DatabaseDump().read(rooms.database) { piece in
                guard case .rows(let rows) = piece else { return }
                let size = rows.joined().reduce(0) { sum, value in
                    if case .blob(let bytes) = value { sum + bytes.count } else { sum }
                }
                #expect(size <= 8 << 20)
            }
        }
    }

    @Test("A drill notices that the contents which a backup lists are gone from the store")
    func emptyStore() async throws {
        try await Self.rooms { rooms in
            let vault = try await rooms.vault()
            _ = try await rooms.backUp(vault, copiesBlobs: false)
            for number in 0..<5 { try await rooms.blobs.unlink(ContentDigest(hashing: "content \(number)")) }
            let drill = try await rooms.drill(vault)
            #expect(!drill.isGood && drill.detail.contains("not in the store"))
        }
    }

    @Test("A drill proves the newest backup, and notices a content that is gone from it")
    func drill() async throws {
        try await Self.rooms { rooms in
            let vault = try await rooms.vault()
            _ = try await rooms.backUp(vault)
            let good = try await rooms.drill(vault)
            #expect(good.isGood && good.rows > 0 && good.blobs == 5)
            let digest = ContentDigest(hashing: "content 3").text
            try FileManager.default.removeItem(atPath: "\(rooms.folder)/place/blobs/\(digest.prefix(2))/\(digest).pws")
            let bad = try await rooms.drill(vault)
            #expect(!bad.isGood)
            #expect(try FileManager.default.contentsOfDirectory(atPath: rooms.folder + "/scratch").isEmpty)
        }
    }

    @Test("A backup brings only contents that no earlier one brought; old backups go with what only they had")
    func retention() async throws {
        try await Self.rooms { rooms in
            let vault = try await rooms.vault()
            let first = try await rooms.backUp(vault)
            try await rooms.blobs.unlink(ContentDigest(hashing: "content 0"))
            rooms.clock.advance(by: .seconds(40 * 86_400))
            let second = try await rooms.backUp(vault, days: 30)
            #expect(try await vault.names().map(\.text) == [second.name])
            #expect(first.name != second.name)
            let kept = try await vault.blobs()
            #expect(kept.count == 4 && !kept.contains(ContentDigest(hashing: "content 0")))
        }
    }

    @Test("The last good backup and the last proven restore are known, and when the next is due")
    func records() async throws {
        try await Installation.with { system in
            let records = system.services.backups
            #expect(try await records.words() == "last backup: never; last proven restore: never")
            #expect(try await records.isDue(.drill, every: .seconds(60)))
            func run(_ kind: BackupRun.Kind, good: Bool) -> BackupRun {
                BackupRun(
                    id: BackupRunID(at: system.clock.now()), kind: kind, isGood: good, startedAt: system.clock.now(),
                    finishedAt: system.clock.now(), place: "/mnt", name: "x", sizeInBytes: 1, rows: 1, blobs: 1,
                    detail: "")
            }
            try await records.record(run(.backup, good: true))
            try await records.record(run(.drill, good: true))
            system.clock.advance(by: .seconds(3 * 3600))
            try await records.record(run(.drill, good: false))
            #expect(try await records.words() == "last backup: 3 h ago; last proven restore: 3 h ago")
            #expect(try await !records.isDue(.drill, every: .seconds(60)))
            let view = try await records.view(for: system.admin)
            #expect(view.runs.count == 3 && view.lastProvenRestore?.isGood == true)
            let user = try await system.user("somebody")
            await #expect(throws: ServiceError.self) { try await records.view(for: user) }
        }
    }
}
