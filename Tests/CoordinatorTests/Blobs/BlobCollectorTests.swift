import Artifacts
import Database
import Domain
import Foundation
import Persistence
import Synchronization
import TestSupport
import Testing

@testable import Coordinator

@Suite("The collection of unused blobs", .timeLimit(.minutes(3)))
struct BlobCollectorTests {
    typealias Room = CollectionRoom

    @Test(
        "Deletes what no version refers to, counts it to the byte, and leaves all else", arguments: Room.Driver.allCases
    )
    func collect(driver: Room.Driver) async throws {
        try await Room.with(driver) { room in
            try await room.makeSite("stays", template: 0)
            try await room.makeSite("goes", template: 1)
            try await room.deleteSite("goes")
            let orphan = try await room.blobs.put(Array("nobody knows me".utf8))
            let before = try await room.stored()
            room.clock.advance(by: .seconds(1))
            let report = try await room.collector.collect(grace: .zero)
            let after = try await room.stored()
            // The page and the list of files of the site that went, and the orphan; the style sheet is shared.
            #expect(before.count == 6 && after.count == 3)
            #expect(after[orphan] == nil && after[Room.pageDigest(1)] == nil && after[Room.pageDigest(0)] != nil)
            #expect(report.before == BlobCount(blobs: 6, bytes: before.values.reduce(0, +)))
            #expect(report.after == BlobCount(blobs: 3, bytes: after.values.reduce(0, +)))
            #expect(report.removed == report.before - report.after)
            #expect(report.garbage == report.removed && report.young == .zero && report.unfinished == .zero)
            #expect(report.versions == 1)
            #expect(try await room.condemned() == [])
            #expect(try await room.verifier.verify().problems == [])
            let again = try await room.collector.collect(grace: .zero)
            #expect(again.removed == .zero && again.before == report.after)
        }
    }

    @Test("Only counts in a dry run, and spares what is young", arguments: Room.Driver.allCases)
    func dryRunAndGrace(driver: Room.Driver) async throws {
        try await Room.with(driver) { room in
            try await room.makeSite("stays", template: 0)
            try await room.blobs.put(Array("nobody knows me".utf8))
            let before = try await room.stored()
            let dry = try await room.collector.collect(grace: .zero, isDryRun: true)
            #expect(dry.garbage == BlobCount(blobs: 1, bytes: 15) && dry.removed == .zero)
            let young = try await room.collector.collect(grace: .seconds(3600))
            #expect(young.young == BlobCount(blobs: 1, bytes: 15) && young.garbage == .zero && young.removed == .zero)
            #expect(try await room.stored() == before)
        }
    }

    @Test("Keeps a deleted site's content for the grace period")
    func deletedSite() async throws {
        try await Room.with { room in
            try await room.makeSite("goes", template: 1)
            try await room.deleteSite("goes")
            let early = try await room.collector.collect(grace: .seconds(3600))
            #expect(early.versions == 1 && early.young == .zero)
            room.clock.advance(by: .seconds(3700))
            // By the site's time they could go now; by their own they are young.
            let late = try await room.collector.collect(grace: .seconds(3600))
            #expect(late.versions == 0 && late.young.blobs == 3 && late.removed == .zero)
        }
    }

    @Test("Keeps what a waiting job starts from, even when its site is gone")
    func baseOfJob() async throws {
        try await Room.with { room in
            try await room.makeSite("goes", template: 1)
            _ = try await room.services.edits.submit(
                prompt: "Change the headline", engine: nil, baseVersion: nil, to: "goes", for: room.admin)
            // Deleting a site ends its jobs; a row that did not hear of it must do no harm.
            try await room.database.withTransaction { transaction in
                try await transaction.execute("UPDATE site SET deleted_at = 1")
            }
            let report = try await room.collector.collect(grace: .zero)
            #expect(report.versions == 1 && report.removed == .zero)
        }
    }

    @Test("Deletes nothing when the list of files of a version cannot be read", arguments: Room.Driver.allCases)
    func incomplete(driver: Room.Driver) async throws {
        try await Room.with(driver) { room in
            let site = try await room.makeSite("stays", template: 0)
            try await room.blobs.put(Array("nobody knows me".utf8))
            let version = try await room.services.versions.find(1, of: "stays", for: room.admin).version
            _ = try await room.blobs.remove(
                [version.digest], olderThan: .seconds(-60), order: RemovalOrder(issuedAt: SystemClock().now()))
            let before = try await room.stored()
            let error = await refusal { try await room.collector.collect(grace: .zero) }
            #expect(error?.rule == "blobs-incomplete")
            #expect(error?.message.contains("version 1 of \(site.site.slug)") == true)
            #expect(try await room.stored() == before)
        }
    }

    @Test(
        "A version of files that are being deleted is not recorded, and can be made again",
        arguments: Room.Driver.allCases)
    func madeWhileDeleted(driver: Room.Driver) async throws {
        try await Room.with(driver) { room in
            try await room.makeSite("old", template: 1)
            try await room.deleteSite("old")
            room.clock.advance(by: .seconds(1))
            let making = Mutex<Task<Void, any Error>?>(nil)
            // Condemned, but not deleted yet: now the same content comes again, and is found to be there.
            room.blobs.beforeNextRemove {
                let (committed, noted) = AsyncStream.makeStream(of: Void.self)
                room.blobs.afterNextCommit { noted.finish() }
                making.withLock {
                    $0 = Task {
                        // Also when it fails before it comes so far.
                        defer { noted.finish() }
                        try await room.makeSite("fresh", template: 1)
                    }
                }
                for await _ in committed {}
            }
            let report = try await room.collector.collect(grace: .zero)
            #expect(report.removed.blobs >= 2)
            let task = try #require(making.withLock { $0 })
            let error = await refusal { try await task.value }
            #expect(error?.rule == "blobs-swept" && error?.code == .unavailable)
            #expect(try await room.verifier.verify().problems == [])
            try await room.makeSite("fresh", template: 1)
            #expect(try await room.verifier.verify() == BlobVerifier.Report(read: try await room.count(), versions: 1))
        }
    }

    @Test(
        "A version of files that were deleted after it was seen that they are there is not recorded",
        arguments: Room.Driver.allCases)
    func deletedBeforeCommit(driver: Room.Driver) async throws {
        try await Room.with(driver) { room in
            try await room.makeSite("old", template: 1)
            try await room.deleteSite("old")
            room.clock.advance(by: .seconds(1))
            // All of a collection comes between "it is there already" and the transaction.
            room.blobs.afterNextCommit {
                let report = try await room.collector.collect(grace: .zero)
                #expect(report.removed.blobs == 3)
            }
            let error = await refusal { try await room.makeSite("fresh", template: 1) }
            #expect(error?.rule == "blobs-swept")
            #expect(try await room.verifier.verify().problems == [])
            try await room.makeSite("fresh", template: 1)
            #expect(try await room.verifier.verify().problems == [])
        }
    }

    @Test("A collection that took nothing of it does not keep a version from being recorded")
    func otherCollection() async throws {
        try await Room.with { room in
            try await room.blobs.put(Array("nobody knows me".utf8))
            room.blobs.afterNextCommit {
                // The files of the version that is being made are unused, but young.
                let orphan = ContentDigest(hashing: "nobody knows me")
                try await room.condemnAndDelete([orphan], run: "other")
            }
            try await room.makeSite("fresh", template: 1)
            #expect(try await room.verifier.verify().problems == [])
        }
    }

    @Test("A version that is made while the marks are set keeps its files")
    func madeWhileMarking() async throws {
        try await Room.with { room in
            // So many that there are several sweeps: what is made during the first is listed as unused after it.
            let batch = try await room.blobs.makeBatch()
            for number in 0..<1200 { try await batch.add(Array("garbage \(number)".utf8)) }
            try await batch.commit()
            room.blobs.beforeNextRemove { try await room.makeSite("fresh", template: 2) }
            let report = try await room.collector.collect(grace: .zero)
            #expect(report.removed.blobs == 1200)
            #expect(try await room.verifier.verify().problems == [])
            #expect(try await room.stored().count == 3)
        }
    }

    @Test("Two collections at once delete everything once", arguments: Room.Driver.allCases)
    func twoAtOnce(driver: Room.Driver) async throws {
        try await Room.with(driver) { room in
            try await room.makeSite("stays", template: 0)
            let batch = try await room.blobs.makeBatch()
            for number in 0..<600 { try await batch.add(Array("garbage \(number)".utf8)) }
            try await batch.commit()
            room.clock.advance(by: .seconds(1))
            async let first = room.collector.collect(grace: .zero)
            async let second = room.collector.collect(grace: .zero)
            let removed = try await first.removed + (try await second.removed)
            #expect(removed.blobs == 600)
            #expect(try await room.stored().count == 3)
            #expect(try await room.condemned() == [])
            #expect(try await room.verifier.verify().problems == [])
        }
    }

    @Test("What a collection that died had condemned is not used, and is deleted by a later one")
    func abandoned() async throws {
        try await Room.with { room in
            try await room.makeSite("old", template: 1)
            try await room.deleteSite("old")
            let digests = Array(try await room.stored().keys)
            try await room.database.withTransaction { transaction in
                _ = try await CondemnedBlobStore().condemn(
                    digests, by: "dead", at: room.clock.now(), in: transaction)
            }
            // Its right to delete may still be used somewhere.
            let error = await refusal { try await room.makeSite("fresh", template: 1) }
            #expect(error?.rule == "blobs-swept")
            let early = try await room.collector.collect(grace: .zero)
            #expect(early.removed == .zero)
            #expect(try await room.condemned() == Set(digests))
            room.clock.advance(by: .seconds(3 * 3600))
            let late = try await room.collector.collect(grace: .zero)
            #expect(late.removed.blobs >= 3)
            #expect(try await room.condemned() == [])
            try await room.makeSite("fresh", template: 1)
            #expect(try await room.verifier.verify().problems == [])
        }
    }

    @Test("Names what is damaged or missing, and who needs it", arguments: Room.Driver.allCases)
    func verify(driver: Room.Driver) async throws {
        try await Room.with(driver) { room in
            let one = try await room.makeSite("one", template: 0)
            let two = try await room.makeSite("two", template: 2)
            #expect(try await room.verifier.verify(bytesPerSecond: 100 << 20).problems == [])
            let list = try await room.services.versions.find(1, of: "two", for: room.admin).version.digest
            _ = try await room.blobs.remove(
                [Room.pageDigest(0), list], olderThan: .seconds(-60), order: RemovalOrder(issuedAt: SystemClock().now())
            )
            let report = try await room.verifier.verify()
            #expect(report.versions == 2)
            typealias Problem = BlobVerifier.Problem
            let expected = [
                Problem(
                    digest: Room.pageDigest(0), kind: .missing,
                    needs: [.init(site: one.site.id, slug: "one", version: .first, path: "index.html")]),
                Problem(
                    digest: list, kind: .missing,
                    needs: [.init(site: two.site.id, slug: "two", version: .first, path: nil)]),
            ]
            #expect(report.problems == expected.sorted { $0.digest < $1.digest })
            guard driver == .directory else { return }
            let sheet = ContentDigest(hashing: "body { margin: 0 }\n")
            let path = "\(room.folder)/blobs/\(sheet.text.prefix(2))/\(sheet)"
            try #require(chmod(path, 0o600) == 0)
            try Data("body { margin: 1 }\n".utf8).write(to: URL(filePath: path))
            let damaged = try await room.verifier.verify().problems.first { $0.kind == .damaged }
            #expect(damaged?.digest == sheet)
            #expect(damaged?.needs == [.init(site: one.site.id, slug: "one", version: .first, path: "styles.css")])
        }
    }
}

extension CollectionRoom {
    func count() async throws -> BlobCount {
        let all = try await stored()
        return BlobCount(blobs: all.count, bytes: all.values.reduce(0, +))
    }

    /// What a collection does to blobs that nothing refers to.
    func condemnAndDelete(_ digests: [ContentDigest], run: String) async throws {
        let now = clock.now()
        try await database.withTransaction { transaction in
            _ = try await CondemnedBlobStore().condemn(digests, by: run, at: now, in: transaction)
        }
        _ = try await blobs.remove(
            digests, olderThan: .seconds(-60), order: RemovalOrder(issuedAt: SystemClock().now()))
        try await database.withTransaction { transaction in
            try await CondemnedBlobStore().acquit(run: run, except: [], in: transaction)
        }
    }
}
