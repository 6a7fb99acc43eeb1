/// What a seed chooses: how big the system is, and what goes wrong. Few kinds of fault at a time, so that each seed goes
/// deep somewhere (swarm testing).
package struct Scenario: Sendable {
    package enum Fault: Int, CaseIterable, Sendable {
        case coordinatorCrash, workerCrash, servingCrash, powerLoss, partition, oneWayPartition, pause, clockJump
        case hintsLost, hintsForged, restore, databaseOutage, sessionBreak, probeFailure, slowNetwork, diskFull
    }

    package enum Action: Int, CaseIterable, Sendable {
        case cancel, promote, rollBack, preview, delete, maintenance, unlock, revoke, repeatedRequest, garbage, create
    }

    var coordinators = 1
    var workers = 1
    var servers = 1
    var sites = 1
    var edits = 3
    /// Frames of a session come in order and once, as over TCP; otherwise those that may are lost, doubled, reordered.
    var isStream = true
    /// Milliseconds of the phase in which things go wrong.
    var faultPhase: Int64 = 120_000
    var faults: [Fault] = []
    var actions: [Action] = []
    /// How many faults there are in all, and how many steps of a coordinator in 1,000 kill it.
    var faultCount = 4
    var deathsPerMille = 0
    /// Parts in 1,000 by which monotonic clocks are off.
    var drifts: [Int64] = []

    /// `focus` is among the faults in any case; nothing else differs between seeds with and without it by intent.
    init(random: inout SeededRandom, focus: [Fault]) {
        coordinators = random.among(1...2)
        workers = random.among(1...2)
        servers = random.among(1...2)
        sites = random.among(1...2)
        edits = random.among(2...6)
        isStream = random.chance(650)
        faultPhase = Int64(random.among(40...160)) * 1000
        let faultShare = random.pick([150, 300, 500])!
        faults = Fault.allCases.filter { random.chance(faultShare) || focus.contains($0) }
        let actionShare = random.pick([200, 500])!
        actions = Action.allCases.filter { _ in random.chance(actionShare) }
        faultCount = faults.isEmpty ? 0 : random.among(1...8) + 2 * focus.count
        deathsPerMille = faults.contains(.coordinatorCrash) ? random.pick([5, 20, 60])! : 0
        drifts = (0..<4).map { _ in Int64(random.among(-20...20)) }
    }
}

/// Durations of the simulated installation, in milliseconds; in the same proportions as the real ones.
enum Timing {
    static let lease: Int64 = 60_000
    static let grace: Int64 = 15_000
    static let graceAfterStart: Int64 = 30_000
    static let offer: Int64 = 10_000
    static let cancel: Int64 = 10_000
    static let heartbeat: Int64 = 10_000
    static let reaper: Int64 = 5_000
    /// How long a steward's term lasts without a renewal.
    static let office: Int64 = 30_000
    static let reconcile: Int64 = 4_000
    static let resync: Int64 = 30_000
    static let resend: Int64 = 10_000
    /// From the decision to kill a task until nothing of it runs.
    static let kill: Int64 = 2_000
    static let blobGrace: Int64 = 600_000
    /// How long after the last fault everything must have come to rest.
    static let calm: Int64 = 1_800_000
}
