import Archives
import Artifacts
import BlockingIO
import Domain
import Foundation
import TestSupport
import Testing

/// Archives of an attacker.
@Suite("A hostile archive", .timeLimit(.minutes(5)))
struct HostileArchiveTests {
    static let limits = Manifest.Limits(files: 1_000, totalSizeInBytes: 8 << 20, fileSizeInBytes: 4 << 20)

    @Test("Is refused by the rule that it breaks, and leaves nothing in the store and nothing outside")
    func refusal() async throws {
        try await ArchiveRoom.withNew { room in
            let cases = try Corpus.makeHostile(in: "\(room.folder)/corpus")
            #expect(cases.count >= 250)
            let before = try FileManager.default.contentsOfDirectory(atPath: room.folder).sorted()
            for hostile in cases {
                do {
                    let tree = try await room.importing("\(room.folder)/corpus/\(hostile.file)", limits: Self.limits)
                    Issue.record("\(hostile.file) was taken with \(tree.entries.count) files")
                } catch let error as ServiceError {
                    #expect(error.code == .validationFailed, "\(hostile.file): \(error)")
                    #expect(hostile.rules.contains(error.rule ?? ""), "\(hostile.file): \(error.rule ?? ""): \(error)")
                    #expect(!error.message.unicodeScalars.contains { $0.value < 0x20 }, "\(hostile.file)")
                }
            }
            #expect(try room.storedFiles() == [])
            let after = try FileManager.default.contentsOfDirectory(atPath: room.folder).sorted()
            #expect(before + ["blobs"] == after || before == after)
            #expect(!FileManager.default.fileExists(atPath: "/tmp/pagewright-evil"))
        }
    }

    @Test("Costs no more memory than a few pieces of it")
    func memory() async throws {
        await #expect(processExitsWith: .success) {
            try await ArchiveRoom.withNew { room in
                let cases = try Corpus.makeHostile(in: "\(room.folder)/corpus")
                let before = peakMemoryInBytes()
                for hostile in cases {
                    let peak = peakMemoryInBytes()
                    _ = try? await room.importing(
                        "\(room.folder)/corpus/\(hostile.file)", limits: HostileArchiveTests.limits)
                    let growth = (peakMemoryInBytes() - peak) >> 20
                    if growth >= 4 { print("\(hostile.file) took \(growth) MiB") }
                }
                #expect(peakMemoryInBytes() - before < 64 << 20)
            }
        }
    }
}
