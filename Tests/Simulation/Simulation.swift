import Domain

/// One run of the whole installation: a seed decides everything that happens.
package enum Simulation {
    package struct Result: Sendable {
        package let seed: UInt64
        package let violation: (invariant: Invariant, detail: String)?
        /// Of everything that happened; equal for equal seeds, on every machine.
        package let traceHash: UInt64
        package let events: Int
        /// How often each ``Happening`` was, in the order of its cases.
        package let happenings: [Int]
        /// In words; empty unless asked for.
        package let lines: [String]
    }

    /// - Parameters:
    ///   - mutation: a bug to have on purpose.
    ///   - focus: faults that happen in any case.
    package static func run(
        seed: UInt64, mutation: Mutation? = nil, focus: [Scenario.Fault] = [], isVerbose: Bool = false
    ) -> Result {
        let world = World(seed: seed, mutation: mutation, focus: focus, isVerbose: isVerbose)
        let violation = world.run()
        return Result(
            seed: seed, violation: violation.map { ($0.invariant, $0.detail) }, traceHash: world.trace.hash,
            events: world.events, happenings: world.happenings, lines: world.trace.lines)
    }

    /// What a mutation needs to show itself often enough.
    package static func focus(for mutation: Mutation) -> [Scenario.Fault] {
        switch mutation {
        case .noFenceCheck: [.restore, .partition, .workerCrash]
        case .generationInSeparateFile: [.restore, .servingCrash]
        case .garbageWithoutGrace: [.slowNetwork, .partition]
        case .leaseCountsFromAnswer: [.slowNetwork, .oneWayPartition, .partition]
        case .unsyncedTree: [.powerLoss]
        case .noTermCheck: [.clockJump, .pause]
        default: []
        }
    }
}
