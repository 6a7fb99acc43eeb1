import Domain
import FleetIdentity
import Foundation
import TestSupport
import Testing

/// Files that only the passphrase opens.
@Suite struct SealedFileTests {
    private static let right = "correct horse battery"

    private static func seal(_ content: [UInt8], at path: String) throws {
        let writer = try SealedFileWriter(path: path, purpose: "test", key: try SealKey(passphrase: Passphrase(right)))
        // In pieces of odd sizes.
        var rest = content[...]
        while !rest.isEmpty {
            let piece = rest.prefix(70_001)
            rest = rest.dropFirst(piece.count)
            try writer.write(Array(piece))
        }
        #expect(try writer.finish() == Int64(try FileManager.default.attributesOfItem(atPath: path)[.size] as! Int))
    }

    private static func read(_ path: String, _ passphrase: String = right, purpose: String = "test") throws -> [UInt8] {
        let reader = try SealedFileReader(
            path: path, purpose: purpose, keys: SealKeyRing(passphrase: try Passphrase(passphrase)))
        var all: [UInt8] = []
        while true {
            let piece = try reader.read(100_000)
            if piece.isEmpty { return all }
            all += piece
        }
    }

    private static func content(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) } }

    @Test("What was written is read", arguments: [0, 1, 262_143, 262_144, 262_145, 800_000])
    func readsBack(count: Int) async throws {
        try await withTemporaryDirectory { folder in
            try Self.seal(Self.content(count), at: folder + "/file")
            #expect(try Self.read(folder + "/file") == Self.content(count))
        }
    }

    @Test("Nothing of the content can be seen in the file")
    func secret() async throws {
        try await withTemporaryDirectory { folder in
            let text = "the key of the fleet, again and again. "
            try Self.seal(Array(String(repeating: text, count: 100).utf8), at: folder + "/file")
            let bytes = try Data(contentsOf: URL(filePath: folder + "/file"))
            #expect(bytes.range(of: Data("the key of the fleet".utf8)) == nil)
        }
    }

    @Test("Another passphrase is refused as such")
    func wrong() async throws {
        try await withTemporaryDirectory { folder in
            try Self.seal([1, 2, 3], at: folder + "/file")
            let error = #expect(throws: ServiceError.self) { try Self.read(folder + "/file", "another passphrase") }
            #expect(error?.rule == "passphrase-wrong")
        }
    }

    @Test("One changed byte anywhere is found", arguments: [0, 9, 40, 150, 400, 200_000, 300_000, 599_999])
    func damaged(offset: Int) async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/file"
            try Self.seal(Self.content(600_000), at: path)
            var bytes = try Data(contentsOf: URL(filePath: path))
            bytes[offset] ^= 1
            try bytes.write(to: URL(filePath: path))
            #expect(throws: ServiceError.self) { try Self.read(path) }
        }
    }

    @Test("A file that was cut off is refused, wherever that was", arguments: [0, 5, 100, 1000, 262_600, 599_000])
    func cut(count: Int) async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/file"
            try Self.seal(Self.content(600_000), at: path)
            try Data(contentsOf: URL(filePath: path)).prefix(count).write(to: URL(filePath: path))
            #expect(throws: ServiceError.self) { try Self.read(path) }
        }
    }

    @Test("Something after the end, and another purpose, are refused")
    func foreign() async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/file"
            try Self.seal([1, 2, 3], at: path)
            #expect(throws: ServiceError.self) { try Self.read(path, purpose: "other") }
            let bytes = try Data(contentsOf: URL(filePath: path)) + Data([0])
            try bytes.write(to: URL(filePath: path))
            #expect(throws: ServiceError.self) { try Self.read(path) }
        }
    }

    @Test("A short passphrase is no passphrase, and a line break at its end does not count")
    func passphrases() throws {
        #expect(throws: ServiceError.self) { try Passphrase("short") }
        #expect(throws: Never.self) { try Passphrase("long enough, this one\n") }
    }
}
