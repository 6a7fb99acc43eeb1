import Simulation
import Testing

/// A suite that catches no bug proves nothing: each of these real bugs is found within a bounded number of runs, by the
/// invariant that is named, and the same runs without it find nothing.
@Suite struct MutationTests {
    /// Which invariants may be the first to see it.
    private static let catchers: [Mutation: Set<Invariant>] = [
        // The eight of the model (Tests/Models).
        .stateOnlyCompletion: [.acceptedIsCurrent, .noWriteBelowFence],
        .noFenceCheck: [.acceptedIsCurrent, .noWriteBelowFence],
        .rowDeletedAtPoll: [.oneState],
        .noGenerationCheck: [.hostsNeverGoBack, .tombstonesStay, .oneDigestPerGeneration],
        .generationInSeparateFile: [.hostsNeverGoBack, .oneDigestPerGeneration],
        .restoreWithoutFloor: [.neverDecreases, .fencesGrow],
        .edgeTriggeredPush: [.hostsConverge],
        .noReaper: [.everyJobEnds],
        // More, so that each invariant has a bug that breaks it.
        .duplicateApplies: [.oneCompletion],
        .fenceStays: [.fencesGrow],
        .noEpochCheck: [.oldSessionsAreMute],
        .unsyncedTree: [.wholeReleases],
        .leaseCountsFromAnswer: [.tasksEnd],
        .keyAfterwards: [.oneJobPerKey],
        .garbageWithoutGrace: [.garbageIsGarbage],
        .handBackCounts: [.handBackIsFree],
        .revokedStillWrites: [.revokedIsMute],
        .everyJobIsReady: [.oneActivePerSite],
        .hintGrants: [.hintsDecideNothing],
        .cancelReopens: [.terminalAbsorbs, .oneAuditRow],
        .promotesUnseen: [.liveIsComplete],
        .generationStays: [.generationsGrow],
        .raceRaisesFence: [.acceptedIsCurrent],
        .tombstoneForgotten: [.hostsConverge, .tombstonesStay],
        .noTermCheck: [.oneLeader],
        .auditAfterwards: [.oneAuditRow],
    ]

    @Test("A bug on purpose is caught by the invariant that is there for it", arguments: Mutation.allCases)
    func caught(mutation: Mutation) async throws {
        let catchers = try #require(Self.catchers[mutation])
        let focus = Simulation.focus(for: mutation)
        let summary = await SeedSweep(
            seeds: 0..<Self.bound, mutation: mutation, focus: focus, stopsAtFirst: true
        ).run(threads: 1)
        let failure = try #require(summary.failures.first, "not caught within \(Self.bound) runs")
        #expect(catchers.contains(failure.invariant), "\(failure.invariant.rawValue): \(failure.detail)")
        print("mutant \(mutation): seed \(failure.seed), \(failure.invariant.rawValue): \(failure.detail)")
        let sound = Simulation.run(seed: failure.seed, focus: focus)
        #expect(sound.violation == nil, "the same run without the bug is sound")
    }

    @Test("A mutant run replays bit for bit as well")
    func replay() throws {
        let first = Simulation.run(seed: 2, mutation: .stateOnlyCompletion)
        let second = Simulation.run(seed: 2, mutation: .stateOnlyCompletion)
        #expect(first.violation != nil && first.traceHash == second.traceHash)
    }

    private static let bound: UInt64 = 4000
}
