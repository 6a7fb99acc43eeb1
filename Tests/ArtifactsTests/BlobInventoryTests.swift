import Artifacts
import BlockingIO
import Domain
import Foundation
import NIOCore
import TestSupport
import Testing

/// What every store promises to those who keep house in it.
@Suite("An inventory of blobs", .timeLimit(.minutes(2)))
struct BlobInventoryTests {
    private let order = RemovalOrder(issuedAt: TestClock().now())

    @Test("Lists every blob once, with its size and a small age", arguments: BlobStoreDriver.allCases)
    func list(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            #expect(try await Self.list(store).isEmpty)
            let batch = try await store.makeBatch()
            // More than a page of S3 has.
            for number in 0..<1100 { try await batch.add(Array(repeating: 7, count: number)) }
            try await batch.commit()
            let listed = try await Self.list(store)
            #expect(Set(listed.map(\.digest)).count == 1100 && listed.count == 1100)
            #expect(listed.reduce(0) { $0 + $1.sizeInBytes } == 1100 * 1099 / 2)
            #expect(listed.allSatisfy { $0.age > .seconds(-5) && $0.age < .seconds(600) })
        }
    }

    @Test("Works as long as the store does", arguments: BlobStoreDriver.allCases)
    func probe(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { try await $0.probe() }
    }

    @Test("Removes what is old enough, and says what that freed", arguments: BlobStoreDriver.allCases)
    func remove(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let one = try await store.put([1])
            let two = try await store.put([2, 2])
            let young = try await store.remove([one, two], olderThan: .seconds(600), order: order)
            #expect(young.removed == .zero && young.uncertain == [])
            #expect(try await store.missing(among: [one, two]) == [])
            let absent = ContentDigest(hashing: "absent")
            let removal = try await store.remove([two, absent], olderThan: .seconds(-60), order: order)
            #expect(removal.removed == BlobCount(blobs: 1, bytes: 2) && removal.uncertain == [])
            #expect(try await store.missing(among: [one, two]) == [two])
            try await store.put([2, 2])
            #expect(try await store.read(two, limit: 2) == [2, 2])
        }
    }

    @Test("Removes nothing when the decision is too old", arguments: BlobStoreDriver.allCases)
    func orderIsOver(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let digest = try await store.put([1])
            let over = RemovalOrder(issuedAt: TestClock().now(), instant: .now - .seconds(601))
            let error = await #expect(throws: ServiceError.self) {
                try await store.remove([digest], olderThan: .seconds(-60), order: over)
            }
            #expect(error?.rule == "removal-over")
            #expect(try await store.read(digest, limit: 1) == [1])
        }
    }

    @Test("Copies every blob to another store, goes on where it stopped, and copies nothing that is damaged")
    func migration() async throws {
        try await BlobStoreDriver.s3.withEmptyStore { target in
            try await withTemporaryDirectory { folder in
                let source = try await DirectoryBlobStore(
                    directory: "\(folder)/blobs", pool: BlockingPool(label: "test", width: 2))
                var digests: [ContentDigest] = []
                for number in 0..<50 {
                    digests.append(try await source.put(BlobStoreConformanceTests.content(ofSize: number * 1000)))
                }
                digests.append(try await source.put(BlobStoreConformanceTests.content(ofSize: 9_000_000)))
                // A part of it came over before.
                try await target.put(BlobStoreConformanceTests.content(ofSize: 3000))
                let bad = digests[20]
                let path = source.path(of: bad)
                try #require(chmod(path, 0o600) == 0)
                try Data(BlobStoreConformanceTests.content(ofSize: 20_000).map { $0 ^ 1 }).write(
                    to: URL(filePath: path))
                let first = try await BlobMigration(from: source, to: target).run()
                #expect(first.source.blobs == 51 && first.copied.blobs == 49)
                #expect(first.damaged == [bad] && first.absent == [] && !first.isComplete)
                try await source.put(BlobStoreConformanceTests.content(ofSize: 20_000))
                let second = try await BlobMigration(from: source, to: target).run()
                #expect(second.copied == BlobCount(blobs: 1, bytes: 20_000) && second.isComplete)
                #expect(try await target.missing(among: digests) == [])
                #expect(
                    try await target.read(digests[50], limit: 9_000_000)
                        == BlobStoreConformanceTests.content(ofSize: 9_000_000))
                // And back.
                let copy = try await DirectoryBlobStore(
                    directory: "\(folder)/copy", pool: BlockingPool(label: "test", width: 2))
                #expect(try await BlobMigration(from: target, to: copy).run().isComplete)
                #expect(try await copy.damaged(among: digests) == [])
                #expect(try await copy.missing(among: digests) == [])
            }
        }
    }

    @Test("A blob that is put again becomes young, and stays the same file")
    func refresh() async throws {
        try await withTemporaryDirectory { folder in
            let store = try await DirectoryBlobStore(
                directory: "\(folder)/blobs", pool: BlockingPool(label: "test", width: 2))
            let digest = try await store.put([1])
            var before = stat()
            #expect(lstat(store.path(of: digest), &before) == 0)
            try await store.put([1])
            var after = stat()
            #expect(lstat(store.path(of: digest), &after) == 0)
            #expect(before.st_ino == after.st_ino && before.st_mtim.tv_sec == after.st_mtim.tv_sec)
            #expect((after.st_ctim.tv_sec, after.st_ctim.tv_nsec) > (before.st_ctim.tv_sec, before.st_ctim.tv_nsec))
        }
    }

    @Test("What a crash left is counted and removed, what is under way is not")
    func unfinished() async throws {
        try await withTemporaryDirectory { folder in
            let store = try await DirectoryBlobStore(
                directory: "\(folder)/blobs", pool: BlockingPool(label: "test", width: 2))
            let batch = try await store.makeBatch()
            try await batch.add([1, 2, 3])
            let left = "\(folder)/blobs/incoming/left"
            try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
            try Data([1, 2, 3, 4]).write(to: URL(filePath: "\(left)/1"))
            #expect(
                try await store.removeUnfinished(olderThan: .zero, isDryRun: true) == BlobCount(blobs: 1, bytes: 4))
            #expect(
                try await store.removeUnfinished(olderThan: .zero, isDryRun: false) == BlobCount(blobs: 1, bytes: 4))
            #expect(try await store.removeUnfinished(olderThan: .zero, isDryRun: false) == .zero)
            try await batch.commit()
            #expect(try await store.missing(among: [ContentDigest(hashing: [1, 2, 3])]) == [])
        }
    }

    private static func list(_ store: any BlobInventory) async throws -> [ListedBlob] {
        var all: [ListedBlob] = []
        try await store.forEachPage { all += $0 }
        return all
    }
}
