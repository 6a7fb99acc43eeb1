import Domain

/// A whole installation in one thread: everything that happens is an event, and a seed decides all of them.
final class World {
    /// Wall-clock time at the start of a run.
    static let epoch: Int64 = 1_800_000_000_000

    var random: SeededRandom
    let scenario: Scenario
    let mutation: Mutation?
    var trace: Trace
    let ledger = Ledger()
    private var queue = EventQueue<Event>()
    private(set) var now: Int64 = 0
    private(set) var events = 0
    private var isOver = false

    var tables = Tables()
    /// What the backup set held, and what the ledger knew then.
    var backup: (tables: Tables, timeline: Ledger.Timeline)?
    /// Beside the database, and not in its backups.
    var incarnationFile: Int16 = 0
    var isDatabaseAway = false
    /// Job numbers; whatever is in here decides nothing.
    var hints: [Int] = []
    var coordinators: [SimulatedCoordinator] = []
    var hosts: [SimulatedHost] = []
    var connections: [Connection] = []
    /// Whether frames of a host to a coordinator, or back, wait: until when.
    var blockedToCoordinator: [[Int64]] = []
    var blockedToAgent: [[Int64]] = []
    /// When each content came into the coordinators' blob store; `nil` when it is not there.
    var blobs: [Int64?] = []
    var digests: [ContentDigest] = []
    var isCalm = false
    var slowness: Int64 = 1
    var calmSince: Int64 = 0
    private(set) var happenings = [Int](repeating: 0, count: Happening.allCases.count)
    /// Whether the user of each request has an answer.
    var answered: [Int: Bool] = [:]
    var nextKey = 0
    var nextJob = 0
    var nextSite = 0
    /// Contents whose blobs were deleted as garbage.
    var collected: Set<Int> = []

    init(seed: UInt64, mutation: Mutation?, focus: [Scenario.Fault], isVerbose: Bool) {
        random = SeededRandom(seed: seed)
        scenario = Scenario(random: &random, focus: focus)
        self.mutation = mutation
        trace = Trace(isVerbose: isVerbose)
    }

    // MARK: Time

    func after(_ delay: Int64, _ event: Event) { queue.insert(event, at: now + max(0, delay)) }

    func at(_ time: Int64, _ event: Event) { queue.insert(event, at: max(now, time)) }

    func soon(_ range: ClosedRange<Int>) -> Int64 { Int64(random.among(range)) }

    func wall(_ coordinator: Int) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: Self.epoch + now + coordinators[coordinator].clockOffset)
    }

    /// Runs to the end and returns what was violated, if anything.
    func run() -> Ledger.Violation? {
        setUp()
        while ledger.firstViolation == nil, !isOver, let (time, event) = queue.popFirst() {
            now = time
            events += 1
            if events > 60_000 { ledger.fail(.endsAtAll, "more than 60,000 events") }
            handle(event)
        }
        return ledger.firstViolation
    }

    func finish() { isOver = true }

    func note(_ happening: Happening) { happenings[happening.rawValue] += 1 }

    private func handle(_ event: Event) {
        if let until = pause(of: event), until > now { return at(until, event) }
        switch event {
        case .toCoordinator(let connection, let message, let sentAt): receive(message, on: connection, sentAt: sentAt)
        case .toAgent(let connection, let message): agentReceives(message, on: connection)
        case .closed(let connection, let atAgent): close(connection, atAgent: atAgent)
        case .silence(let connection, let atAgent): checkSilence(connection, atAgent: atAgent)
        case .connect(let host, let life): connect(host, life: life)
        case .heartbeat(let connection): beat(connection)
        case .resend(let connection): resend(connection)
        case .start(let coordinator): start(coordinator)
        case .dispatch(let coordinator, let life): dispatch(coordinator, life: life)
        case .grant(let coordinator, let life, let job, let host, let connection):
            grant(job, to: host, over: connection, on: coordinator, life: life)
        case .reconcile(let coordinator, let life): reconcile(coordinator, life: life)
        case .reap(let coordinator, let life): reap(coordinator, life: life)
        case .push(let connection, let isResync): push(connection, isResync: isResync)
        case .commit(let connection, let life, let completion, let outcome):
            commit(completion, outcome, on: connection, life: life)
        case .attempt(let host, let life, let lease, let stage): proceed(lease, on: host, life: life, stage: stage)
        case .deadline(let host, let life, let lease): checkDeadline(of: lease, on: host, life: life)
        case .attemptEnded(let host, let life, let lease): endAttempt(lease, on: host, life: life)
        case .serve(let host, let life, let site, let work, let stage):
            serve(site, on: host, life: life, work: work, stage: stage)
        case .retry(let host, let life, let site, let attempt): retry(site, on: host, life: life, attempt: attempt)
        case .bootAgent(let host): boot(host)
        case .user(let action): perform(action)
        case .submit(let key, let site): submit(key: key, site: site)
        case .writeKey(let key, let job): tables.jobOfKey[key] = job
        case .fault(let fault): inflict(fault)
        case .mend(let fault, let party): mend(fault, party: party)
        case .backUp: if !isDatabaseAway { backup = (tables, ledger.timeline) }
        case .acceptRecovery: acceptRecovery()
        case .calm: calmDown()
        case .lookAround: lookAround()
        }
    }

    /// Until when the party that an event belongs to does nothing.
    private func pause(of event: Event) -> Int64? {
        switch event {
        case .toCoordinator(let connection, _, _), .closed(let connection, false), .silence(let connection, false),
            .push(let connection, _), .commit(let connection, _, _, _):
            coordinators[connections[connection].coordinator].pausedUntil
        case .toAgent(let connection, _), .closed(let connection, true), .silence(let connection, true),
            .heartbeat(let connection), .resend(let connection):
            hosts[connections[connection].host].pausedUntil
        case .connect(let host, _), .attempt(let host, _, _, _), .deadline(let host, _, _),
            .attemptEnded(let host, _, _), .serve(let host, _, _, _, _), .retry(let host, _, _, _):
            hosts[host].pausedUntil
        case .dispatch(let coordinator, _), .grant(let coordinator, _, _, _, _), .reconcile(let coordinator, _),
            .reap(let coordinator, _):
            coordinators[coordinator].pausedUntil
        default: nil
        }
    }

    // MARK: The database

    /// Works on a copy of the rows and makes it the truth, unless the database is away, `body` throws, or the
    /// coordinator dies before the commit. Returns `nil` then, and also when it dies after the commit: what was to
    /// follow does not happen. `committed` tells the oracle, which sees every commit.
    func transact<Value>(
        on coordinator: Int?, _ name: String, _ body: (inout Tables) throws -> Value?,
        committed: (Value) -> Void = { _ in }
    ) -> Value? {
        guard !isDatabaseAway else { return nil }
        var rows = tables
        guard let value = try? body(&rows) else { return nil }
        if dies(coordinator) { return nil }
        let before = tables
        tables = rows
        committed(value)
        ledger.check(before, rows)
        trace.note(1, now, Int64(coordinator ?? -1), words: "\(now) commit \(name) by coordinator \(coordinator ?? -1)")
        if dies(coordinator) { return nil }
        return value
    }

    /// Whether a coordinator dies at this step.
    func dies(_ coordinator: Int?) -> Bool {
        guard let coordinator, scenario.deathsPerMille > 0, !isCalm, random.chance(scenario.deathsPerMille) else {
            return false
        }
        crash(coordinator: coordinator)
        return true
    }
}
