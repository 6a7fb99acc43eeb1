import Domain
import Foundation
import Simulation
import Testing

/// The whole installation under faults, many times: every invariant holds, and at the end everything has come to rest.
@Suite struct InvariantTests {
    /// The same in every run, so that a failure is one of the code and not of the day.
    private static let seeds: Range<UInt64> = 0..<20_000

    @Test("Every invariant holds in 20,000 runs, and they go everywhere")
    func sweep() async {
        let start = ContinuousClock.now
        let summary = await SeedSweep(seeds: Self.seeds).run()
        for failure in summary.failures {
            Issue.record(
                "seed \(failure.seed) broke \(failure.invariant.rawValue): \(failure.detail) (again, in words: make simulate SEED=\(failure.seed))"
            )
        }
        #expect(summary.seeds == Self.seeds.count)
        print("simulated \(summary.seeds) seeds, \(summary.events) events in \(start.duration(to: .now))")
        for happening in Happening.allCases {
            #expect(summary.happenings[happening.rawValue] >= 50, "the runs hardly ever come to: \(happening)")
        }
    }

    @Test("A seed replays bit for bit, and two seeds differ")
    func replay() {
        var hashes: Set<UInt64> = []
        for seed in UInt64(0)..<200 {
            let first = Simulation.run(seed: seed)
            let second = Simulation.run(seed: seed)
            #expect(first.traceHash == second.traceHash && first.events == second.events, "seed \(seed)")
            hashes.insert(first.traceHash)
        }
        #expect(hashes.count == 200)
    }

    @Test("A seed replays bit for bit in another process", arguments: [UInt64(3), 10, 372, 1724])
    func replayElsewhere(seed: UInt64) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = root.appending(path: ".build/debug/Simulate")
        process.arguments = ["--seed", "\(seed)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let here = Simulation.run(seed: seed)
        #expect(said.contains("\(here.events) events, trace \(String(here.traceHash, radix: 16))\n"), "\(said)")
    }

    @Test("What happens at one time happens in the order in which it was planned")
    func order() {
        let lines = Simulation.run(seed: 1, isVerbose: true).lines
        let times = lines.compactMap { $0.split(separator: " ").first.flatMap { Int64($0) } }
        #expect(times.count == lines.count && times == times.sorted())
    }

    @Test("The seeds' random numbers never change")
    func randomNumbers() {
        var random = SeededRandom(seed: 42)
        let numbers = (0..<3).map { _ in random.next() }
        #expect(numbers == Self.golden)
    }

    private static let golden: [UInt64] = [0x2bbf27e0ed1b6d, 0x35bd607f1e4a1432, 0xee23c58cc160491d]
}
