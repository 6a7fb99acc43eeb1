import Artifacts
import Domain
import NIOCore
import Synchronization
import Testing

/// What every blob store promises.
@Suite("A blob store", .timeLimit(.minutes(2)))
struct BlobStoreConformanceTests {
    static let absent = ContentDigest(hashing: "never stored")

    @Test("Gives back what was put in, of every size", arguments: BlobStoreDriver.allCases)
    func roundTrip(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            for size in [0, 1, 255, 262_143, 262_144, 262_145, 1_500_000] {
                let content = Self.content(ofSize: size)
                let digest = try await store.put(content)
                #expect(digest == ContentDigest(hashing: content))
                #expect(try await store.sizeInBytes(of: digest) == Int64(size))
                #expect(try await store.read(digest, limit: size) == content)
                #expect(try await Self.pieces(of: digest, in: store, ofAtMost: 1_000_000).joined == content)
            }
        }
    }

    @Test("Hands out pieces of the size that was asked for", arguments: BlobStoreDriver.allCases)
    func pieces(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let content = Self.content(ofSize: 1_000)
            let digest = try await store.put(content)
            let pieces = try await Self.pieces(of: digest, in: store, ofAtMost: 300)
            #expect(pieces.sizes.allSatisfy { (1...300).contains($0) })
            #expect(pieces.joined == content)
        }
    }

    @Test("Takes a blob in pieces of any size", arguments: BlobStoreDriver.allCases)
    func writing(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let batch = try await store.makeBatch()
            let writer = try await batch.makeWriter()
            var hasher = ContentHasher()
            for size in [0, 1, 100_000, 7, 500_000, 0, 262_144, 3] {
                let piece = ByteBuffer(bytes: Self.content(ofSize: size))
                hasher.update(piece)
                try await writer.write(piece)
            }
            let stored = try await writer.finish(expecting: hasher.finish())
            try await batch.commit()
            #expect(stored == StoredBlob(digest: hasher.finish(), sizeInBytes: hasher.sizeInBytes))
            let content = try await store.read(stored.digest, limit: 1 << 20)
            #expect(ContentDigest(hashing: content) == stored.digest)
        }
    }

    @Test("Says what is missing, in the order asked", arguments: BlobStoreDriver.allCases)
    func missing(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let present = try await store.put([1, 2, 3])
            let other = ContentDigest(hashing: "another")
            #expect(
                try await store.missing(among: [other, present, Self.absent, other]) == [other, Self.absent, other])
            #expect(try await store.sizeInBytes(of: Self.absent) == nil)
        }
    }

    @Test("Refuses to read what is not there", arguments: BlobStoreDriver.allCases)
    func notFound(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            await expectRefusal(.notFound) { _ = try await store.read(Self.absent, limit: 100) }
            await expectRefusal(.notFound) { _ = try await Self.pieces(of: Self.absent, in: store, ofAtMost: 100) }
        }
    }

    @Test("Refuses to read more than the limit", arguments: BlobStoreDriver.allCases)
    func readLimit(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let digest = try await store.put(Self.content(ofSize: 100))
            await expectRefusal(.payloadTooLarge) { _ = try await store.read(digest, limit: 99) }
        }
    }

    @Test(
        "Shows nothing of a batch before it is committed, but the batch reads it", arguments: BlobStoreDriver.allCases)
    func isolation(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let kept = try await store.put([9, 9])
            let batch = try await store.makeBatch()
            let stored = try await batch.add([1, 2, 3])
            #expect(try await store.missing(among: [stored.digest]) == [stored.digest])
            #expect(try await batch.read(stored.digest, limit: 3) == [1, 2, 3])
            #expect(try await batch.read(kept, limit: 2) == [9, 9])
            await expectRefusal(.payloadTooLarge) { _ = try await batch.read(stored.digest, limit: 2) }
            await expectRefusal(.notFound) { _ = try await batch.read(Self.absent, limit: 2) }
            try await batch.commit()
            #expect(try await store.read(stored.digest, limit: 3) == [1, 2, 3])
            await batch.discard()
            #expect(try await store.read(stored.digest, limit: 3) == [1, 2, 3])
        }
    }

    @Test("Forgets a batch that was discarded", arguments: BlobStoreDriver.allCases)
    func discard(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let batch = try await store.makeBatch()
            let stored = try await batch.add([1, 2, 3])
            await batch.discard()
            #expect(try await store.missing(among: [stored.digest]) == [stored.digest])
        }
    }

    @Test("Refuses content that is not the expected one, and goes on without it", arguments: BlobStoreDriver.allCases)
    func expectation(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let batch = try await store.makeBatch()
            let wrong = try await batch.makeWriter()
            try await wrong.write(ByteBuffer(string: "something else"))
            await expectRefusal(.validationFailed, rule: "blob-digest") {
                _ = try await wrong.finish(expecting: Self.absent)
            }
            let right = try await batch.add([4])
            try await batch.commit()
            #expect(try await store.read(right.digest, limit: 1) == [4])
            #expect(try await store.missing(among: [Self.absent]) == [Self.absent])
        }
    }

    @Test("Keeps equal contents once, in one batch and in many at once", arguments: BlobStoreDriver.allCases)
    func concurrency(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let content = Self.content(ofSize: 300_000)
            try await withThrowingTaskGroup(of: ContentDigest.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let batch = try await store.makeBatch()
                        let own = try await batch.add(Array("own \(number)".utf8))
                        let first = try await batch.add(content)
                        let second = try await batch.add(content)
                        #expect(first == second)
                        try await batch.commit()
                        #expect(try await store.missing(among: [own.digest, first.digest]) == [])
                        return first.digest
                    }
                }
                for try await digest in group { #expect(digest == ContentDigest(hashing: content)) }
            }
            #expect(try await store.read(ContentDigest(hashing: content), limit: 300_000) == content)
        }
    }

    @Test("Takes the writers of one batch side by side", arguments: BlobStoreDriver.allCases)
    func writersSideBySide(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let batch = try await store.makeBatch()
            let digests = try await withThrowingTaskGroup(of: ContentDigest.self) { group in
                for number in 0..<200 { group.addTask { try await batch.add(Array("blob \(number)".utf8)).digest } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await batch.commit()
            #expect(try await store.missing(among: digests) == [])
        }
    }

    @Test("Stops to hand out pieces when the task is cancelled", arguments: BlobStoreDriver.allCases)
    func cancelledReader(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let digest = try await store.put(Self.content(ofSize: 10_000))
            let seen = Mutex(0)
            let reader = Task {
                try await store.forEachPiece(of: digest, ofAtMost: 100) { _ in
                    seen.withLock { $0 += 1 }
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            await #expect(throws: CancellationError.self) { try await reader.value }
            #expect(seen.withLock { $0 } == 1)
        }
    }

    @Test("Throws on the error of the receiver of pieces", arguments: BlobStoreDriver.allCases)
    func failingReceiver(driver: BlobStoreDriver) async throws {
        struct Refusal: Error {}
        try await driver.withEmptyStore { store in
            let digest = try await store.put(Self.content(ofSize: 10_000))
            await #expect(throws: Refusal.self) {
                try await store.forEachPiece(of: digest, ofAtMost: 100) { _ in throw Refusal() }
            }
        }
    }

    @Test("Keeps manifests as blobs", arguments: BlobStoreDriver.allCases)
    func manifests(driver: BlobStoreDriver) async throws {
        try await driver.withEmptyStore { store in
            let manifest = try Manifest([
                Manifest.Entry(path: SitePath("index.html"), sizeInBytes: 3, digest: ContentDigest(hashing: "abc")),
                Manifest.Entry(path: SitePath("ä/ö.txt"), sizeInBytes: 0, digest: ContentDigest(hashing: "")),
            ])
            #expect(try await store.putManifest(manifest) == manifest.digest)
            #expect(manifest.digest == ContentDigest(hashing: manifest.canonicalText))
            #expect(try await store.manifest(manifest.digest) == manifest)
            let few = Manifest.Limits(files: 1, totalSizeInBytes: 100, fileSizeInBytes: 100)
            await expectRefusal(.validationFailed, rule: "file-count") {
                _ = try await store.manifest(manifest.digest, limits: few)
            }
            let garbage = try await store.put([0xff, 0xfe])
            await expectRefusal(.validationFailed, rule: "manifest-format") { _ = try await store.manifest(garbage) }
        }
    }

    static func content(ofSize size: Int) -> [UInt8] {
        var state = UInt32(truncatingIfNeeded: size) | 1
        return (0..<size).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
    }

    static func pieces(
        of digest: ContentDigest, in store: any BlobStore, ofAtMost size: Int
    ) async throws -> (sizes: [Int], joined: [UInt8]) {
        var sizes: [Int] = []
        var joined: [UInt8] = []
        try await store.forEachPiece(of: digest, ofAtMost: size) { piece in
            sizes.append(piece.readableBytes)
            joined.append(contentsOf: piece.readableBytesView)
        }
        return (sizes, joined)
    }
}
