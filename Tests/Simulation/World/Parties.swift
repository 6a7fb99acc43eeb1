import Domain

/// A coordinator: what it keeps in memory, and loses with it.
struct SimulatedCoordinator {
    struct OpenOffer {
        let lease: JobLease
        let host: Int
        let deadline: Int64
    }

    var isAlive = false
    var life = 0
    var startedAt: Int64 = 0
    var pausedUntil: Int64 = 0
    /// Of its wall clock, in milliseconds.
    var clockOffset: Int64 = 0
    /// The connection of each host's session here.
    var sessions: [Int?]
    var parked: [Int] = []
    var openOffers: [OpenOffer] = []
    var leases = LeaseWatch<Moment>()
    /// How it becomes the steward, and its belief that it is.
    var candidacy: Candidacy?
    var office: (term: Term, renewedAt: Timestamp)?
    /// The term in which it watches leases, and since when.
    var watch: (term: Term, since: Int64)?
}

/// One session, with both ends: they learn of its end at different times.
struct Connection {
    let host: Int
    let coordinator: Int
    let coordinatorLife: Int
    let agentLife: Int
    var isOpenAtAgent = true
    var isOpenAtCoordinator = true
    var isWelcomed = false
    var epoch: Int64 = 0
    var slots = 0
    var sent: [Int64] = []
    var hasSnapshot = false
    var resyncs = 0
    var lastHeardAtAgent: Int64
    var lastHeardAtCoordinator: Int64
    /// When the last frame each way arrives: the next one comes later.
    var toAgentUntil: Int64 = 0
    var toCoordinatorUntil: Int64 = 0
}

/// One attempt on a worker.
struct Attempt {
    let offer: JobOffer
    let content: Int
    var clock: LeaseClock<Moment>
    var result: JobCompletion.Outcome?
    var stop: AttemptStop?
    /// The simulation's own idea of the deadline: from the last renewal that a coordinator did, by the local clock.
    var renewedAt: Int64
}

/// A host: an agent with the role of a worker or of a server, and its disk.
struct SimulatedHost {
    let isWorker: Bool
    let drift: Int64
    var isAlive = false
    var life = 0
    var pausedUntil: Int64 = 0
    var connection: Int?
    var failures = 0
    var isRevoked = false

    // A worker. The spool is on its disk, attempts are in memory.
    var attempts: [Attempt] = []
    var spool: [JobCompletion] = []

    // A server
    var sites: [ServedReplica] = []
    /// Contents in its blob store.
    var trees: [TreeState] = []
    var isDiskFull = false

    /// The local monotonic clock.
    func clock(_ now: Int64) -> Int64 { now + now * drift / 1000 }
}

enum TreeState { case absent, volatile, durable, torn }

/// One site on a serving host: what is on its disk, and what the agent knows.
struct ServedReplica {
    /// What nginx serves: where `current` leads, as the running system sees it.
    var current: DesiredSite?
    /// Where it leads after a loss of power.
    var durableCurrent: DesiredSite?
    /// With the mutation that keeps a generation beside what is served.
    var generationFile: Int64 = 0

    // In memory, in the type that the real host decides with.
    var replica = SiteReplica()
    var isForgotten = false
    /// Grows with every try; steps of an older one are void.
    var work = 0
    var isBusy = false
    var attempts = 0
    var hasRefused = false
    var before: DesiredSite?
    var working: DesiredSite?
}
