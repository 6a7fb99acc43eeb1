import Artifacts
import BlockingIO
import Domain
import Foundation
import TestSupport
import Testing

@Suite("A tree of blobs", .timeLimit(.minutes(2)))
struct TreeTests {
    private let files = FileManager.default

    @Test("Is made of links to the blobs, exact to the byte")
    func links() async throws {
        try await withStore { store, directory in
            let entries = try await entries(in: store)
            let tree = "\(directory)/tree"
            try await store.linkAll(entries, into: tree)
            for entry in entries {
                let path = "\(tree)/\(entry.path)"
                #expect(try status(of: path).st_ino == status(of: store.path(of: entry.digest)).st_ino)
                #expect(ContentDigest(hashing: try Data(contentsOf: URL(filePath: path))) == entry.digest)
            }
            #expect(try files.subpathsOfDirectory(atPath: tree).count == entries.count + 4)
            #expect(try status(of: "\(tree)/a/b").st_mode & 0o7777 == 0o755)
        }
    }

    @Test("Can be copied: private, writable, exact to the byte")
    func copies() async throws {
        try await withStore { store, directory in
            let entries = try await entries(in: store)
            let tree = "\(directory)/tree"
            try await store.copyAll(entries, into: tree)
            for entry in entries {
                let path = "\(tree)/\(entry.path)"
                #expect(try status(of: path).st_mode == S_IFREG | 0o644)
                #expect(try status(of: path).st_nlink == 1)
                #expect(ContentDigest(hashing: try Data(contentsOf: URL(filePath: path))) == entry.digest)
                try Data("changed".utf8).write(to: URL(filePath: path))
            }
            #expect(try await store.damaged(among: entries.map(\.digest)) == [])
        }
    }

    @Test("Is refused when a blob is missing, has another size, is damaged, or a file is in the way")
    func refusals() async throws {
        try await withStore { store, directory in
            let entries = try await entries(in: store)
            let missing = Manifest.Entry(
                path: try SitePath("m"), sizeInBytes: 1, digest: ContentDigest(hashing: "missing"))
            await expectRefusal(.notFound) { try await store.linkAll([missing], into: "\(directory)/1") }
            await expectRefusal(.notFound) { try await store.copyAll([missing], into: "\(directory)/2") }
            let wrong = Manifest.Entry(path: try SitePath("w"), sizeInBytes: 99, digest: entries[0].digest)
            await expectRefusal(.internalError) { try await store.linkAll([wrong], into: "\(directory)/3") }
            await expectRefusal(.internalError) { try await store.copyAll([wrong], into: "\(directory)/4") }
            try await store.linkAll(entries, into: "\(directory)/5")
            await expectRefusal(.alreadyExists) { try await store.linkAll(entries, into: "\(directory)/5") }
            await expectRefusal(.alreadyExists) { try await store.copyAll(entries, into: "\(directory)/5") }
            await expectRefusal(.alreadyExists) {
                try await store.link(entries[0].digest, to: "\(directory)/5/\(entries[0].path)")
            }
            try #require(chmod(store.path(of: entries[0].digest), 0o600) == 0)
            try Data(repeating: 0, count: Int(entries[0].sizeInBytes)).write(
                to: URL(filePath: store.path(of: entries[0].digest)))
            await expectRefusal(.internalError) { try await store.copyAll(entries, into: "\(directory)/6") }
        }
    }

    @Test("Never leaves its folder through a link that is in the way")
    func escape() async throws {
        try await withStore { store, directory in
            let entries = try await entries(in: store)
            for (index, name) in ["a", "a/b"].enumerated() {
                let tree = "\(directory)/tree\(index)"
                let outside = "\(directory)/outside\(index)"
                try files.createDirectory(
                    atPath: ("\(tree)/\(name)" as NSString).deletingLastPathComponent, withIntermediateDirectories: true
                )
                try files.createDirectory(atPath: outside, withIntermediateDirectories: true)
                try files.createSymbolicLink(atPath: "\(tree)/\(name)", withDestinationPath: outside)
                await #expect(throws: ServiceError.self) { try await store.linkAll(entries, into: tree) }
                await #expect(throws: ServiceError.self) { try await store.copyAll(entries, into: tree) }
                #expect(try files.contentsOfDirectory(atPath: outside) == [])
            }
        }
    }

    @Test("May have more files of one content than the file system has links for one file")
    func manyLinks() async throws {
        try await withStore { store, directory in
            let digest = try await store.put([])
            // What 65,000 names would bring about on ext4, brought about by another disk.
            try await withSmallDisk(options: "size=1m") { disk in
                let entry = Manifest.Entry(path: try SitePath("empty.txt"), sizeInBytes: 0, digest: digest)
                try await store.linkAll([entry], into: "\(disk)/tree")
                let copy = try status(of: "\(disk)/tree/empty.txt")
                #expect(copy.st_mode == S_IFREG | 0o444)
                #expect(try copy.st_mtim.tv_sec == status(of: store.path(of: digest)).st_mtim.tv_sec)
            }
            let entries = try (0..<66_000).map {
                Manifest.Entry(path: try SitePath("\($0 % 10)/\($0)"), sizeInBytes: 0, digest: digest)
            }
            try await store.linkAll(entries, into: "\(directory)/tree")
            #expect(try files.contentsOfDirectory(atPath: "\(directory)/tree/7").count == 6_600)
        }
    }

    @Test("Is given up when the task is cancelled")
    func cancellation() async throws {
        try await withStore { store, directory in
            let entries = try await entries(in: store)
            let builder = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await store.linkAll(entries, into: "\(directory)/tree")
            }
            await #expect(throws: CancellationError.self) { try await builder.value }
        }
    }

    private func withStore<Value>(_ body: (DirectoryBlobStore, String) async throws -> Value) async throws -> Value {
        try await withTemporaryDirectory { path in
            try await body(
                DirectoryBlobStore(directory: "\(path)/blobs", pool: BlockingPool(label: "test", width: 4)), path)
        }
    }

    private func entries(in store: DirectoryBlobStore) async throws -> [Manifest.Entry] {
        var entries: [Manifest.Entry] = []
        for (path, size) in [
            ("index.html", 10), ("a/b/c.css", 0), ("a/b/d.js", 300_000), ("a/index.html", 11), ("ü/ß.txt", 1),
            ("a/b c/x", 5),
        ] {
            let content = BlobStoreConformanceTests.content(ofSize: size)
            entries.append(
                Manifest.Entry(path: try SitePath(path), sizeInBytes: Int64(size), digest: try await store.put(content))
            )
        }
        return entries
    }

    private func status(of path: String) throws -> stat {
        var status = stat()
        try #require(lstat(path, &status) == 0, "\(path)")
        return status
    }
}
