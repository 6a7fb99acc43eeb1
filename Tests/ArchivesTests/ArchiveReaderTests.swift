import Archives
import Artifacts
import BlockingIO
import Domain
import Foundation
import TestSupport
import Testing

@Suite("An archive", .timeLimit(.minutes(2)))
struct ArchiveReaderTests {
    private static let site: [String: [UInt8]] = [
        "index.html": Array("<p>hello".utf8),
        "a/style.css": [],
        "Größe/große datei.txt": Array(repeating: UInt8(ascii: "z"), count: 300_000),
        ".well-known/security.txt": Array("Contact: x".utf8),
    ]

    @Test("Becomes the same site, whichever of the proper ways it was made")
    func proper() async throws {
        try await ArchiveRoom.withNew { room in
            let names = try Corpus.makeProper(in: "\(room.folder)/corpus")
            #expect(names.count >= 35)
            for name in names {
                let tree = try await room.importing("\(room.folder)/corpus/\(name)")
                #expect(Set(tree.entries.map(\.path.text)) == Set(Self.site.keys), "\(name)")
                for entry in tree.entries {
                    let content = try await room.store.read(entry.digest, limit: 1 << 20)
                    #expect(content == Self.site[entry.path.text], "\(name): \(entry.path)")
                    #expect(entry.sizeInBytes == Int64(content.count), "\(name): \(entry.path)")
                }
                let hidden = tree.findings.filter { $0.rule == "hidden-file" && $0.severity == .warning }
                #expect(hidden == tree.findings)
                #expect(hidden.count == (name.contains("hidden") ? 5 : 0), "\(name)")
            }
        }
    }

    @Test("Keeps a single folder that has no index page")
    func noIndex() async throws {
        try await ArchiveRoom.withNew { room in
            try make(["site/about.html": "x"], in: room)
            let tree = try await room.importing("\(room.folder)/site.tar.gz")
            #expect(tree.entries.map(\.path.text) == ["site/about.html"])
            #expect(tree.strippedFolder == nil)
        }
    }

    @Test("Keeps a folder with an index page when something is beside it")
    func twoFolders() async throws {
        try await ArchiveRoom.withNew { room in
            try make(["site/index.html": "x", "other.html": "y"], in: room)
            let tree = try await room.importing("\(room.folder)/site.tar.gz")
            #expect(tree.entries.map(\.path.text) == ["other.html", "site/index.html"])
        }
    }

    @Test("Names the folder that was taken away")
    func folder() async throws {
        try await ArchiveRoom.withNew { room in
            try make(["my site/index.html": "x", "my site/a/b.html": "y"], in: room)
            let tree = try await room.importing("\(room.folder)/site.tar.gz")
            #expect(tree.entries.map(\.path.text) == ["a/b.html", "index.html"])
            #expect(tree.strippedFolder == "my site")
        }
    }

    @Test("Brings fifty warnings at most, and one that counts the others")
    func manyHidden() async throws {
        try await ArchiveRoom.withNew { room in
            var files = ["index.html": "x"]
            for number in 0..<70 { files[".git/objects/\(number)"] = "\(number)" }
            try make(files, in: room)
            let tree = try await room.importing("\(room.folder)/site.tar.gz")
            #expect(tree.entries.map(\.path.text) == ["index.html"])
            #expect(tree.findings.count == 51)
            #expect(tree.findings.last?.message == "20 more hidden files were left out.")
            #expect(Set(tree.findings.map(\.key)).count == 51)
            let names = try room.storedFiles().filter { $0.count > 40 }
            #expect(names.count == 1)
        }
    }

    @Test("May be as large as the limits, and not one byte or file larger")
    func limits() async throws {
        try await ArchiveRoom.withNew { room in
            try make(["index.html": "1234", "b": "123456"], in: room)
            func read(_ files: Int, _ total: Int64, _ single: Int64) async throws {
                let limits = Manifest.Limits(files: files, totalSizeInBytes: total, fileSizeInBytes: single)
                _ = try await room.importing("\(room.folder)/site.tar.gz", limits: limits)
            }
            try await read(2, 10, 6)
            for (files, total, single, rule) in [
                (1, 10, 6, "file-count"), (2, 9, 6, "total-size"), (2, 10, 5, "file-size"),
            ] {
                let error = await #expect(throws: ServiceError.self) {
                    try await read(files, Int64(total), Int64(single))
                }
                #expect(error?.rule == rule)
            }
        }
    }

    @Test("Stops being read when the task is cancelled, and leaves nothing")
    func cancellation() async throws {
        try await ArchiveRoom.withNew { room in
            try make(["index.html": "1234"], in: room)
            let path = "\(room.folder)/site.tar.gz"
            let reader = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await room.importing(path)
            }
            await #expect(throws: CancellationError.self) { try await reader.value }
            #expect(try room.storedFiles() == [])
        }
    }

    @Test("That is not there is not the sender's fault")
    func missing() async throws {
        try await ArchiveRoom.withNew { room in
            let error = await #expect(throws: ServiceError.self) { try await room.importing("\(room.folder)/none") }
            #expect(error?.code == .internalError)
        }
    }

    @Test("Of many large files goes through bounded memory")
    func memory() async throws {
        await #expect(processExitsWith: .success) {
            try await ArchiveRoom.withNew { room in
                let content = String(repeating: "a page of a large site\n", count: 200_000)
                var files = ["index.html": "x"]
                for number in 0..<40 { files["\(number).txt"] = "\(number)\(content)" }
                try ArchiveReaderTests().make(files, in: room)
                files = [:]
                let path = "\(room.folder)/site.tar.gz"
                let before = peakMemoryInBytes()
                let tree = try await room.importing(path)
                #expect(tree.entries.count == 41)
                try await room.export(Manifest(tree.entries), to: "\(room.folder)/export.tar.gz")
                #expect(peakMemoryInBytes() - before < 64 << 20)
            }
        }
    }

    /// Packs the files with the system's tar, as a customer would.
    func make(_ files: [String: String], in room: ArchiveRoom) throws {
        let source = "\(room.folder)/source"
        for (path, content) in files {
            let url = URL(filePath: "\(source)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(content.utf8).write(to: url)
        }
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = ["tar", "-C", source, "-czf", "\(room.folder)/site.tar.gz", "."]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
    }
}
