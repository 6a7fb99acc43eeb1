import Synchronization

/// Transactions that are done side by side as one: what they ask in the same step is asked together, and all of them are
/// committed, or none.
///
/// They belong to different keys (``SQLScope/only(_:)``), so none of them could tell that it is not alone. Each runs in its
/// own task; a step is taken when all of them wait for an answer or are done. When one is refused, or fails after it
/// wrote something, nothing of the group takes effect, and each is to be done alone.
final class TransactionGroup: Sendable {
    /// Nothing of the group took effect; what one of them did is to be done again by itself.
    struct Broken: Error {}

    enum Change: Sendable {
        case statement(SQLStatement)
        case row(SQLRowChange, [SQLValue])
    }

    private struct Request: Sendable {
        let statements: [SQLStatement]
        /// Of a single statement the number of rows that it changed is wanted, and not its rows.
        let isChange: Bool
        let continuation: CheckedContinuation<Answer, any Error>
    }

    enum Answer: Sendable {
        case rows([[SQLRow]])
        case changed(Int)
    }

    private struct Member: Sendable {
        enum Phase { case running, waiting, done }

        var phase = Phase.running
        var posted: [Change] = []
        var last: [Change] = []
        var requests: [Request] = []
        /// Whether the database has got anything of it that may change a row.
        var hasWritten = false
    }

    private struct State {
        var members: [Member]
        var running: Int
        var hasBegun = false
        var outcome: Result<Void, any Error>?
        /// What takes the next step when nobody runs any more.
        var stepper: CheckedContinuation<Void, Never>?
        var finishing: [CheckedContinuation<Void, any Error>] = []

        /// One member has to wait, or is done. Returns what takes the next step, when nobody runs any more.
        mutating func pause(
            _ member: Int, _ phase: Member.Phase
        ) -> CheckedContinuation<Void, Never>? {
            // Several questions of one body side by side are one pause.
            if members[member].phase == .running { running -= 1 }
            members[member].phase = phase
            guard running == 0 else { return nil }
            defer { stepper = nil }
            return stepper
        }

        mutating func takeStep() -> Step {
            var step = Step()
            for index in members.indices {
                if !members[index].posted.isEmpty {
                    members[index].hasWritten = true
                    step.posted.append(members[index].posted)
                    members[index].posted = []
                }
                for request in members[index].requests {
                    if request.isChange || !request.statements.allSatisfy({ $0.text.hasPrefix("SELECT ") }) {
                        members[index].hasWritten = true
                    }
                    if request.isChange { step.changes.append(request) } else { step.questions.append(request) }
                }
                members[index].requests = []
            }
            if step.questions.isEmpty && step.changes.isEmpty { step.last = members.map(\.last) }
            return step
        }

        /// Those who waited are about to get their answers.
        mutating func goOn() {
            for index in members.indices where members[index].phase == .waiting && members[index].requests.isEmpty {
                members[index].phase = .running
                running += 1
            }
        }
    }

    private struct Step {
        var posted: [[Change]] = []
        var last: [[Change]] = []
        var questions: [Request] = []
        var changes: [Request] = []
    }

    private let state: Mutex<State>

    init(count: Int) {
        state = Mutex(State(members: Array(repeating: Member(), count: count), running: count))
    }

    // MARK: The members' side

    func post(_ change: Change, last isLast: Bool, of member: Int) throws {
        try state.withLock { state in
            if case .failure = state.outcome { throw Broken() }
            if isLast { state.members[member].last.append(change) } else { state.members[member].posted.append(change) }
        }
    }

    func ask(_ statements: [SQLStatement], isChange: Bool, of member: Int) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            let (isBroken, stepper) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
                if case .failure = state.outcome { return (true, nil) }
                let request = Request(statements: statements, isChange: isChange, continuation: continuation)
                state.members[member].requests.append(request)
                return (false, state.pause(member, .waiting))
            }
            if isBroken { continuation.resume(throwing: Broken()) }
            stepper?.resume()
        }
    }

    /// The body of a member has returned. Returns when all of them are committed; throws ``Broken`` when nothing took effect,
    /// and what the commit threw when nobody knows.
    func finish(_ member: Int) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let (outcome, stepper) = state.withLock {
                state -> (Result<Void, any Error>?, CheckedContinuation<Void, Never>?) in
                if let outcome = state.outcome { return (outcome, nil) }
                state.finishing.append(continuation)
                return (nil, state.pause(member, .done))
            }
            if let outcome { continuation.resume(with: outcome) }
            stepper?.resume()
        }
    }

    /// The body of a member has thrown. When it had changed nothing yet, the group goes on without it, and this returns when
    /// the others are committed: what it saw, and threw for, is on the disk then. Otherwise the group is broken. Returns
    /// whether what it threw can be told.
    func leave(_ member: Int) async -> Bool {
        let canGoOn = state.withLock { state in
            guard state.outcome == nil, !state.members[member].hasWritten else { return false }
            state.members[member].posted = []
            state.members[member].last = []
            return true
        }
        guard canGoOn else {
            end(.failure(Broken()))
            return false
        }
        do {
            try await finish(member)
            return true
        } catch {
            return false
        }
    }

    // MARK: The transaction's side

    /// Takes all steps up to the commit, which is the caller's. Throws when the group is broken.
    func run(in transaction: any SQLTransaction) async throws {
        let isFirst = state.withLock { state in
            defer { state.hasBegun = true }
            return !state.hasBegun
        }
        // The database wants it once more from the beginning, which the members have passed.
        guard isFirst else { throw Broken() }
        while true {
            await pauseOfAll()
            let step = try state.withLock { state -> Step in
                if case .failure(let error) = state.outcome { throw error }
                return state.takeStep()
            }
            do {
                for statement in Self.joined(step.posted) {
                    try await transaction.post(statement.text, statement.parameters)
                }
                guard !step.questions.isEmpty || !step.changes.isEmpty else {
                    for statement in Self.joined(step.last) {
                        try await transaction.postLast(statement.text, statement.parameters)
                    }
                    return
                }
                let answers = try await Questions(step.questions.map(\.statements)).ask(in: transaction)
                var changed: [Int] = []
                for request in step.changes {
                    let statement = request.statements[0]
                    changed.append(try await transaction.execute(statement.text, statement.parameters))
                }
                state.withLock { $0.goOn() }
                for (request, answer) in zip(step.questions, answers) {
                    request.continuation.resume(returning: .rows(answer))
                }
                for (request, count) in zip(step.changes, changed) {
                    request.continuation.resume(returning: .changed(count))
                }
            } catch {
                end(.failure(error))
                for request in step.questions + step.changes { request.continuation.resume(throwing: Broken()) }
                throw error
            }
        }
    }

    /// It is committed, or nothing of it took effect, or nobody knows. The first that says so counts.
    func end(_ outcome: Result<Void, any Error>) {
        var seen: Result<Void, any Error> = outcome
        if case .failure(let error) = outcome, (error as? SQLError)?.kind != .outcomeUnknown {
            seen = .failure(Broken())
        }
        let (requests, finishing, stepper) = state.withLock {
            state -> ([Request], [CheckedContinuation<Void, any Error>], CheckedContinuation<Void, Never>?) in
            guard state.outcome == nil else { return ([], [], nil) }
            state.outcome = seen
            let requests = state.members.flatMap(\.requests)
            for member in state.members.indices { state.members[member].requests = [] }
            defer {
                state.finishing = []
                state.stepper = nil
            }
            return (requests, state.finishing, state.stepper)
        }
        for request in requests { request.continuation.resume(throwing: Broken()) }
        for continuation in finishing { continuation.resume(with: seen) }
        stepper?.resume()
    }

    private func pauseOfAll() async {
        await withCheckedContinuation { continuation in
            let isNow = state.withLock { state in
                guard state.running > 0, state.outcome == nil else { return true }
                state.stepper = continuation
                return false
            }
            if isNow { continuation.resume() }
        }
    }

    /// Makes changes of one kind into one statement where the order that each member has them in allows it.
    private static func joined(_ lists: [[Change]]) -> [SQLStatement] {
        var statements: [SQLStatement] = []
        var rests = lists.map { $0[...] }
        while let first = rests.first(where: { !$0.isEmpty })?.first {
            switch first {
            case .statement(let statement):
                statements.append(statement)
                for index in rests.indices where !rests[index].isEmpty {
                    rests[index].removeFirst()
                    break
                }
            case .row(let kind, _):
                var rows: [[SQLValue]] = []
                for index in rests.indices {
                    guard case .row(let other, let row) = rests[index].first, other === kind else { continue }
                    rows.append(row)
                    rests[index].removeFirst()
                }
                statements += kind.statements(for: rows)
            }
        }
        return statements
    }
}
