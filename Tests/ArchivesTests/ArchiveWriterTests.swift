import Archives
import Artifacts
import BlockingIO
import Domain
import Foundation
import NIOCore
import TestSupport
import Testing

@Suite("An export", .timeLimit(.minutes(2)))
struct ArchiveWriterTests {
    private static let paths = [
        "index.html", "a/b/c.css", "empty.txt", "Größe/ß.txt", "with space.html", "large.bin", ".well-known/x",
        String(repeating: "n", count: 100), String(repeating: "n", count: 101), String(repeating: "l", count: 255),
        Array(repeating: String(repeating: "d", count: 120), count: 30).joined(separator: "/"),
    ]

    @Test("Has the same bytes every time, in another store too")
    func reproducible() async throws {
        var exports: [Data] = []
        for _ in 0..<2 {
            try await ArchiveRoom.withNew { room in
                let manifest = try await manifest(in: room)
                for number in 0..<2 {
                    let path = "\(room.folder)/\(number).tar.gz"
                    try await room.export(manifest, to: path)
                    exports.append(try Data(contentsOf: URL(filePath: path)))
                }
            }
        }
        #expect(exports.count == 4)
        #expect(exports.allSatisfy { $0 == exports[0] })
        // No flags, no time, no name.
        #expect(exports[0].prefix(8).elementsEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]))
    }

    @Test("Comes back as the version that it was made of")
    func roundTrip() async throws {
        try await ArchiveRoom.withNew { room in
            let manifest = try await manifest(in: room)
            let path = "\(room.folder)/export.tar.gz"
            try await room.export(manifest, to: path)
            try await ArchiveRoom.withNew { other in
                let tree = try await other.importing(path)
                #expect(try Manifest(tree.entries).digest == manifest.digest)
                #expect(tree.findings == [])
                #expect(try await other.store.missing(among: manifest.entries.map(\.digest)) == [])
            }
        }
    }

    @Test("Is unpacked by the system's tar and Python's, with plain rights and no owner")
    func otherPrograms() async throws {
        try await ArchiveRoom.withNew { room in
            let manifest = try await manifest(in: room)
            let path = "\(room.folder)/export.tar.gz"
            try await room.export(manifest, to: path)
            for (number, program) in [
                ["tar", "-xzf", path, "-C"], ["python3", "-m", "tarfile", "-e", path],
            ].enumerated() {
                let unpacked = "\(room.folder)/unpacked\(number)"
                try FileManager.default.createDirectory(atPath: unpacked, withIntermediateDirectories: false)
                let process = Process()
                process.executableURL = URL(filePath: "/usr/bin/env")
                process.arguments = program + [unpacked]
                try process.run()
                process.waitUntilExit()
                #expect(process.terminationStatus == 0)
                for entry in manifest.entries {
                    let file = "\(unpacked)/\(entry.path)"
                    #expect(try ContentDigest(hashing: Data(contentsOf: URL(filePath: file))) == entry.digest)
                    var status = stat()
                    #expect(lstat(file, &status) == 0)
                    #expect(status.st_mode & 0o7777 == 0o644)
                    #expect(status.st_mtim.tv_sec == 0)
                }
            }
        }
    }

    @Test("Breaks off when a blob is missing or damaged")
    func damage() async throws {
        try await ArchiveRoom.withNew { room in
            let manifest = try await manifest(in: room)
            let large = try #require(manifest.entry(at: SitePath("large.bin")))
            let path = room.store.path(of: large.digest)
            try #require(chmod(path, 0o600) == 0)
            let file = try FileHandle(forUpdating: URL(filePath: path))
            try file.seek(toOffset: 500_000)
            try file.write(contentsOf: Data([0xff]))
            try file.close()
            let damaged = await #expect(throws: ServiceError.self) {
                try await room.export(manifest, to: "\(room.folder)/1")
            }
            #expect(damaged?.code == .internalError)
            try await room.store.unlink(large.digest)
            let missing = await #expect(throws: ServiceError.self) {
                try await room.export(manifest, to: "\(room.folder)/2")
            }
            #expect(missing?.code == .notFound)
        }
    }

    @Test("Ends with the receiver's error")
    func receiver() async throws {
        struct Refusal: Error {}
        try await ArchiveRoom.withNew { room in
            let manifest = try await manifest(in: room)
            await #expect(throws: Refusal.self) {
                try await room.writer.write(manifest, from: room.store) { _ in throw Refusal() }
            }
        }
    }

    @Test("Of nothing is an archive of nothing")
    func empty() async throws {
        try await ArchiveRoom.withNew { room in
            try await room.export(Manifest([]), to: "\(room.folder)/export.tar.gz")
            let error = await #expect(throws: ServiceError.self) {
                try await room.importing("\(room.folder)/export.tar.gz")
            }
            #expect(error?.rule == "archive-empty")
        }
    }

    private func manifest(in room: ArchiveRoom) async throws -> Manifest {
        var entries: [Manifest.Entry] = []
        for (index, path) in Self.paths.enumerated() {
            let size = path == "large.bin" ? 1_000_001 : path == "empty.txt" ? 0 : 500 + index * 12
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* $0 / 7 &+ index) }
            let digest = try await room.store.put(content)
            entries.append(Manifest.Entry(path: try SitePath(path), sizeInBytes: Int64(size), digest: digest))
        }
        return try Manifest(entries)
    }
}
