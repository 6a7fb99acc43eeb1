import Foundation
import Synchronization

/// Many seeds on all cores. Each is a run of its own, so their order means nothing.
package struct SeedSweep: Sendable {
    package struct Summary: Sendable {
        package var seeds = 0
        package var events = 0
        /// The first few seeds that broke an invariant, and what it was.
        package var failures: [(seed: UInt64, invariant: Invariant, detail: String)] = []
        package var happenings = [Int](repeating: 0, count: Happening.allCases.count)
    }

    /// More failures than these are not worth a look.
    private static let enough = 20
    private static let stride = 50

    let seeds: Range<UInt64>
    let mutation: Mutation?
    let focus: [Scenario.Fault]
    let stopsAtFirst: Bool

    package init(
        seeds: Range<UInt64>, mutation: Mutation? = nil, focus: [Scenario.Fault] = [], stopsAtFirst: Bool = false
    ) {
        self.seeds = seeds
        self.mutation = mutation
        self.focus = focus
        self.stopsAtFirst = stopsAtFirst
    }

    private struct State {
        var next: UInt64
        var running: Int
        var summary = Summary()
        let continuation: CheckedContinuation<Summary, Never>
    }

    /// Runs on threads of its own: nothing here may keep the pool of Swift's tasks waiting.
    package func run(threads: Int = ProcessInfo.processInfo.activeProcessorCount) async -> Summary {
        await withCheckedContinuation { continuation in
            let shared = Shared(State(next: seeds.lowerBound, running: threads, continuation: continuation))
            for _ in 0..<threads {
                let thread = Thread { work(shared) }
                thread.stackSize = 8 << 20
                thread.start()
            }
        }
    }

    private final class Shared: Sendable {
        let state: Mutex<State>

        init(_ state: State) { self.state = Mutex(state) }
    }

    private func work(_ shared: Shared) {
        while let chunk = shared.state.withLock({ take(&$0) }) {
            var part = Summary()
            for seed in chunk {
                let result = Simulation.run(seed: seed, mutation: mutation, focus: focus)
                part.seeds += 1
                part.events += result.events
                for index in part.happenings.indices { part.happenings[index] += result.happenings[index] }
                if let violation = result.violation {
                    part.failures.append((seed, violation.invariant, violation.detail))
                }
            }
            shared.state.withLock { state in
                state.summary.seeds += part.seeds
                state.summary.events += part.events
                for index in part.happenings.indices { state.summary.happenings[index] += part.happenings[index] }
                state.summary.failures += part.failures
            }
        }
        let done = shared.state.withLock { state -> (CheckedContinuation<Summary, Never>, Summary)? in
            state.running -= 1
            guard state.running == 0 else { return nil }
            state.summary.failures.sort { $0.seed < $1.seed }
            return (state.continuation, state.summary)
        }
        if let (continuation, summary) = done { continuation.resume(returning: summary) }
    }

    private func take(_ state: inout State) -> Range<UInt64>? {
        let isEnough = state.summary.failures.count >= (stopsAtFirst ? 1 : Self.enough)
        guard state.next < seeds.upperBound, !isEnough else { return nil }
        let end = min(state.next + UInt64(Self.stride), seeds.upperBound)
        defer { state.next = end }
        return state.next..<end
    }
}
