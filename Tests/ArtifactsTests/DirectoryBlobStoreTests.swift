import Artifacts
import BlockingIO
import Domain
import Foundation
import NIOCore
import TestSupport
import Testing

@Suite("A directory blob store", .timeLimit(.minutes(2)))
struct DirectoryBlobStoreTests {
    private let files = FileManager.default

    @Test("Keeps a blob as a read-only file below its first two digits, with a time that stands for its content")
    func layout() async throws {
        try await withStore { store, directory in
            let digest = try await store.put(Array("hello".utf8))
            #expect(digest.text == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
            #expect(store.path(of: digest) == "\(directory)/2c/\(digest)")
            var status = stat()
            #expect(lstat(store.path(of: digest), &status) == 0)
            #expect(status.st_mode == S_IFREG | 0o444)
            let fingerprint = 0x2cf2_4dba_5fb0_a30e % 1_700_000_000
            #expect(status.st_mtim.tv_sec == 31_536_000 + fingerprint)
            #expect(status.st_mtim.tv_nsec == 0)
            #expect(try files.contentsOfDirectory(atPath: "\(directory)/incoming") == [])
        }
    }

    @Test("Keeps the same file when the content comes again")
    func deduplication() async throws {
        try await withStore { store, _ in
            let digest = try await store.put([1, 2, 3])
            let before = try inode(of: store.path(of: digest))
            try await store.put([1, 2, 3])
            #expect(try inode(of: store.path(of: digest)) == before)
        }
    }

    @Test("Finds every flipped bit, names the damaged blob, and heals when the content comes again")
    func flippedBit() async throws {
        try await withStore { store, _ in
            let content = Array("some content that will suffer".utf8)
            let digest = try await store.put(content)
            let healthy = try await store.put([5])
            for bit in stride(from: 0, to: content.count * 8, by: 11) {
                var damaged = content
                damaged[bit / 8] ^= 1 << (bit % 8)
                try overwrite(store.path(of: digest), with: damaged)
                await expectRefusal(.internalError) { _ = try await store.read(digest, limit: 100) }
                await expectRefusal(.internalError) {
                    try await store.forEachPiece(of: digest, ofAtMost: 7) { _ in }
                }
                #expect(try await store.damaged(among: [healthy, digest]) == [digest])
                try await store.put(content)
                #expect(try await store.read(digest, limit: 100) == content)
            }
            try overwrite(store.path(of: digest), with: Array(content.dropLast()))
            await expectRefusal(.internalError) { _ = try await store.read(digest, limit: 100) }
        }
    }

    @Test("Does not take a link or a folder for a blob")
    func strangers() async throws {
        try await withStore { store, directory in
            let link = ContentDigest(hashing: "link")
            let folder = ContentDigest(hashing: "folder")
            for digest in [link, folder] {
                try files.createDirectory(
                    atPath: "\(directory)/\(digest.text.prefix(2))", withIntermediateDirectories: true)
            }
            try files.createSymbolicLink(atPath: store.path(of: link), withDestinationPath: "/etc/passwd")
            try files.createDirectory(atPath: store.path(of: folder), withIntermediateDirectories: false)
            #expect(try await store.missing(among: [link, folder]) == [link, folder])
            await #expect(throws: ServiceError.self) { try await store.read(link, limit: 100_000) }
            await expectRefusal(.notFound) { _ = try await store.read(folder, limit: 100_000) }
        }
    }

    @Test("Deletes what a crash left, and not what another process is working on")
    func sweep() async throws {
        try await withStore { store, directory in
            try await abandonBatch(of: store)
            try Data("x".utf8).write(to: URL(filePath: "\(directory)/incoming/stray"))
            let live = try await store.makeBatch()
            let stored = try await live.add([1, 2, 3])
            #expect(try files.contentsOfDirectory(atPath: "\(directory)/incoming").count == 3)
            let other = try await DirectoryBlobStore(directory: directory, pool: BlockingPool(label: "other", width: 1))
            #expect(try files.contentsOfDirectory(atPath: "\(directory)/incoming").count == 1)
            try await live.commit()
            #expect(try await other.read(stored.digest, limit: 3) == [1, 2, 3])
            #expect(try files.contentsOfDirectory(atPath: "\(directory)/incoming") == [])
        }
    }

    @Test("Leaves nothing behind when a cancelled task discards its batch")
    func cancelledWriter() async throws {
        try await withStore(width: 1) { store, directory in
            let writer = Task {
                let batch = try await store.makeBatch()
                do {
                    let writer = try await batch.makeWriter()
                    try await writer.write(ByteBuffer(repeating: 1, count: 300_000))
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await Task.sleep(for: .seconds(3_600))
                } catch {
                    await batch.discard()
                    throw error
                }
            }
            await #expect(throws: CancellationError.self) { try await writer.value }
            let leftovers = try files.contentsOfDirectory(atPath: "\(directory)/incoming")
            #expect(leftovers == [])
        }
    }

    @Test("Says that the disk is full and what to do, keeps what it had, and works again when there is room")
    func fullDisk() async throws {
        try await withSmallDisk(options: "size=1m") { disk in
            let store = try await DirectoryBlobStore(
                directory: "\(disk)/blobs", pool: BlockingPool(label: "test", width: 2))
            let kept = try await store.put(Array("kept".utf8))
            let error = await #expect(throws: ServiceError.self) {
                try await store.put(BlobStoreConformanceTests.content(ofSize: 2 << 20))
            }
            #expect(error?.code == .storageFull)
            #expect(error?.nextStep != nil)
            #expect(try files.contentsOfDirectory(atPath: "\(disk)/blobs/incoming") == [])
            #expect(try await store.read(kept, limit: 10) == Array("kept".utf8))
            let later = try await store.put(BlobStoreConformanceTests.content(ofSize: 500_000))
            #expect(try await store.missing(among: [kept, later]) == [])
        }
    }

    @Test("Says that the disk is full when it has no room for another file")
    func noInodes() async throws {
        try await withSmallDisk(options: "size=8m,nr_inodes=40") { disk in
            let store = try await DirectoryBlobStore(
                directory: "\(disk)/blobs", pool: BlockingPool(label: "test", width: 2))
            let batch = try await store.makeBatch()
            await expectRefusal(.storageFull) {
                for number in 0..<60 { try await batch.add(Array("\(number)".utf8)) }
            }
            await batch.discard()
            try await store.put([1])
        }
    }

    @Test("Refuses to open where nothing can be stored")
    func noDirectory() async throws {
        await expectRefusal(.internalError) {
            _ = try await DirectoryBlobStore(directory: "/proc/nowhere", pool: BlockingPool(label: "test", width: 1))
        }
    }

    @Test("Streams a large blob through bounded memory")
    func memory() async throws {
        await #expect(processExitsWith: .success) {
            try await withTemporaryDirectory { path in
                let store = try await DirectoryBlobStore(directory: path, pool: BlockingPool(label: "test", width: 2))
                try await store.put([1])
                let before = peakMemoryInBytes()
                let batch = try await store.makeBatch()
                let writer = try await batch.makeWriter()
                for number in 0..<1_024 {
                    try await writer.write(ByteBuffer(repeating: UInt8(number % 251), count: 256 << 10))
                }
                let stored = try await writer.finish(expecting: nil)
                try await batch.commit()
                try await store.forEachPiece(of: stored.digest, ofAtMost: 256 << 10) { _ in }
                #expect(stored.sizeInBytes == 256 << 20)
                #expect(peakMemoryInBytes() - before < 16 << 20)
            }
        }
    }

    private func withStore<Value>(
        width: Int = 4, _ body: (DirectoryBlobStore, String) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryDirectory { path in
            let directory = "\(path)/blobs"
            return try await body(
                DirectoryBlobStore(directory: directory, pool: BlockingPool(label: "test", width: width)), directory)
        }
    }

    /// Leaves a batch as a crash does.
    private func abandonBatch(of store: DirectoryBlobStore) async throws {
        let batch = try await store.makeBatch()
        try await batch.add([7])
    }

    private func inode(of path: String) throws -> UInt {
        var status = stat()
        try #require(lstat(path, &status) == 0)
        return UInt(status.st_ino)
    }

    private func overwrite(_ path: String, with content: [UInt8]) throws {
        try #require(chmod(path, 0o600) == 0)
        try Data(content).write(to: URL(filePath: path))
    }
}
