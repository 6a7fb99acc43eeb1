import Archives
import Artifacts
import BlockingIO
import Domain
import Foundation
import NIOCore
import TestSupport
import Testing

/// Archives with a few bytes changed at random, the same ones every time.
@Suite("A mutated archive", .timeLimit(.minutes(5)))
struct MutatedArchiveTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    @Test("Is either refused by a rule or a site within all rules", arguments: ["pax.tar", "gnu.tar", "deflated.zip"])
    func mutation(name: String) async throws {
        try await ArchiveRoom.withNew { room in
            _ = try Corpus.makeProper(in: "\(room.folder)/corpus")
            let original = try [UInt8](Data(contentsOf: URL(filePath: "\(room.folder)/corpus/\(name)")))
            let path = "\(room.folder)/mutated"
            for seed in UInt64(0)..<400 {
                var generator = Generator(state: seed)
                var mutated = original
                // Headers are at the beginning, and in a zip file at the end.
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let range = min(mutated.count, 3_000)
                    let offset = Int.random(in: 0..<range, using: &generator)
                    let position = Bool.random(using: &generator) ? offset : mutated.count - 1 - offset
                    mutated[position] = UInt8.random(in: 0...255, using: &generator)
                }
                if name.hasSuffix(".tar") { Self.repairSums(in: &mutated) }
                try Data(mutated).write(to: URL(filePath: path))
                let batch = try await room.store.makeBatch()
                do {
                    let tree = try await room.reader.read(archiveAt: path, into: batch, limits: .standard)
                    #expect(try Manifest(tree.entries).entries == tree.entries, "seed \(seed)")
                    #expect(!tree.entries.contains { $0.path.isHidden }, "seed \(seed)")
                } catch let error as ServiceError {
                    #expect(error.code == .validationFailed && error.rule != nil, "seed \(seed): \(error)")
                }
                await batch.discard()
            }
            #expect(try room.storedFiles() == [])
        }
    }

    /// Makes headers valid again, so that what is in them is looked at.
    private static func repairSums(in archive: inout [UInt8]) {
        for start in stride(from: 0, to: min(archive.count, 4_096), by: 512) where archive[start + 257] == 0x75 {
            archive.replaceSubrange(start + 148..<start + 156, with: "        ".utf8)
            let sum = archive[start..<start + 512].reduce(0) { $0 + Int($1) }
            let text = String(sum, radix: 8)
            archive.replaceSubrange(
                start + 148..<start + 156, with: (String(repeating: "0", count: 6 - text.count) + text + "\0 ").utf8)
        }
    }
}
