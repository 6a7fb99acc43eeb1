import Simulation

/// Runs the simulation outside of the tests: many seeds, or one with everything that happens in words.
@main
enum Program {
    private static let usage = """
        Simulate --seeds N [--first N]          many seeds, on all cores; exit code 1 when one breaks an invariant
        Simulate --seed N [--trace]             one seed, with what happens in words
        options: --mutation NAME                with a bug on purpose
        """

    static func main() async {
        var words = CommandLine.arguments.dropFirst().makeIterator()
        var values: [String: String] = [:]
        while let word = words.next() {
            if word == "--trace" { values[word] = "" } else { values[word] = words.next() ?? "" }
        }
        let mutation = values["--mutation"].flatMap { Mutation(rawValue: $0) }
        let focus = mutation.map(Simulation.focus) ?? []
        if let seed = values["--seed"].flatMap({ UInt64($0) }) {
            let isVerbose = values["--trace"] != nil
            let result = Simulation.run(seed: seed, mutation: mutation, focus: focus, isVerbose: isVerbose)
            for line in result.lines { print(line) }
            print("seed \(seed): \(result.events) events, trace \(String(result.traceHash, radix: 16))")
            guard let violation = result.violation else { return print("every invariant held") }
            print("BROKEN \(violation.invariant.rawValue): \(violation.detail)")
            exit(failing: true)
        } else if let count = values["--seeds"].flatMap({ UInt64($0) }) {
            let first = values["--first"].flatMap { UInt64($0) } ?? 0
            let clock = ContinuousClock()
            let start = clock.now
            let summary = await SeedSweep(seeds: first..<first + count, mutation: mutation, focus: focus).run()
            let took = start.duration(to: clock.now)
            for failure in summary.failures {
                print("seed \(failure.seed) BROKEN \(failure.invariant.rawValue): \(failure.detail)")
                print("  again, in words: make simulate SEED=\(failure.seed)")
            }
            print("\(summary.seeds) seeds, \(summary.events) events in \(took); \(summary.failures.count) failures")
            for happening in Happening.allCases { print("  \(happening): \(summary.happenings[happening.rawValue])") }
            exit(failing: !summary.failures.isEmpty)
        } else {
            print(usage)
            exit(failing: true)
        }
    }

    private static func exit(failing: Bool) { if failing { leave(1) } }
}
