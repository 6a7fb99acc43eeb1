/// The order of the steps of a generation: plan, copy of each page, design, build, checks, and repair while the checks
/// find something, at most ``maximumRepairs`` times. A state machine without input or output.
package struct GenerationPipeline: Sendable, Equatable {
    package static let maximumRepairs = 2

    /// What is to be done now.
    package enum State: Sendable, Equatable {
        case planning
        /// The plan is there; somebody looks at it before the rest.
        case waitingForPlan
        /// These pages have no words yet, in the order of the plan.
        case copying([String])
        case designing
        case building
        case checking(round: Int)
        case repairing(round: Int)
        /// So many problems were left after the last repair.
        case finished(problems: Int)
    }

    package enum Event: Sendable, Equatable {
        case planned(pages: [String])
        case copied(page: String)
        case designed
        case built
        case checked(problems: Int)
        case repaired
    }

    /// An event that does not belong to the state.
    package struct WrongEvent: Error, Equatable {
        package let event: Event
        package let state: State
    }

    private let stopsAfterPlan: Bool
    private var pageCount = 1
    package private(set) var state = State.planning
    /// 0 to 100; never falls.
    package private(set) var progress = 0

    package init(stopsAfterPlan: Bool = false) { self.stopsAfterPlan = stopsAfterPlan }

    package var isOver: Bool {
        switch state {
        case .waitingForPlan, .finished: true
        case .planning, .copying, .designing, .building, .checking, .repairing: false
        }
    }

    package mutating func step(_ event: Event) throws(WrongEvent) {
        switch (state, event) {
        case (.planning, .planned(let pages)) where !pages.isEmpty:
            pageCount = pages.count
            state = stopsAfterPlan ? .waitingForPlan : .copying(pages)
        case (.copying(let pages), .copied(let page)) where pages.contains(page):
            let rest = pages.filter { $0 != page }
            state = rest.isEmpty ? .designing : .copying(rest)
        case (.designing, .designed): state = .building
        case (.building, .built): state = .checking(round: 0)
        case (.checking(let round), .checked(let problems)):
            state =
                problems > 0 && round < Self.maximumRepairs
                ? .repairing(round: round + 1) : .finished(problems: problems)
        case (.repairing(let round), .repaired): state = .checking(round: round)
        default: throw WrongEvent(event: event, state: state)
        }
        progress = max(progress, reached)
    }

    private var reached: Int {
        switch state {
        case .planning: 0
        case .waitingForPlan: 15
        case .copying(let rest): Self.progress(pagesDone: pageCount - rest.count, of: pageCount)
        case .designing: 60
        case .building: 68
        case .checking(let round): round == 0 ? 82 : 92
        case .repairing: 88
        case .finished: 100
        }
    }

    private static func progress(pagesDone: Int, of count: Int) -> Int { 15 + 45 * pagesDone / max(1, count) }

    /// How far a generation is whose finished steps are `steps`; what is done does not get undone by a new attempt.
    package static func progress(of steps: some Sequence<GenerationStep.Key>, pages: Int) -> Int {
        var reached = 0
        var copied = 0
        for step in steps {
            switch step.name {
            case .plan: reached = max(reached, 15)
            case .copy: copied += 1
            case .design: reached = max(reached, 68)
            case .build: reached = max(reached, 82)
            case .checks: reached = max(reached, 88)
            case .repair: reached = max(reached, 92)
            }
        }
        return max(reached, copied == 0 ? 0 : progress(pagesDone: min(copied, pages), of: pages))
    }
}
