package import AgentCore
package import Artifacts
package import BlockingIO
package import Domain
package import Engines
package import Logging
import Sandbox
import ServiceLifecycle

/// The part of an agent that runs jobs: takes offers, runs an engine in a sandbox for each, and hands in the results.
///
/// It promises: no more jobs than slots; nothing of a job runs past its lease, by this host's own clock; a cancelled job
/// is dead before it is confirmed; what came out of a sandbox was collected after the sandbox was empty; what runs when this
/// agent is killed or replaced is found and ended by the next one, in the same attempt.
package actor WorkerRole: SessionParticipant, LeaseHolding, Service {
    package struct Configuration: Sendable {
        /// How many jobs at once.
        package var slots: Int
        /// Below this every attempt gets a folder; nothing else may be in there.
        package var directory: String
        /// What becomes of jobs when the agent is asked to stop.
        package var shutdown: Shutdown
        /// Where it is kept what engines remember of conversations; `nil` when they are to remember nothing.
        package var memoryDirectory: String?
        /// What looks at changed pages, after the results were taken; `nil` when nothing does.
        package var inspector: PageInspector?

        package enum Shutdown: Sendable {
            /// They go on by themselves, for the agent that is started next.
            case leave
            /// They end, and are handed back if they did not end well within `grace`.
            case end(grace: Duration)
        }

        package init(
            slots: Int, directory: String, shutdown: Shutdown = .leave, memoryDirectory: String? = nil,
            inspector: PageInspector? = nil
        ) {
            self.slots = slots
            self.directory = directory
            self.shutdown = shutdown
            self.memoryDirectory = memoryDirectory
            self.inspector = inspector
        }
    }

    private struct Running {
        let offer: JobOffer
        let control: AttemptControl
        let reporter: AttemptReporter
    }

    private let configuration: Configuration
    private let engines: [EngineName: any Engine]
    private let readiness: SandboxReadiness
    private let store: DirectoryBlobStore
    private let transfer: any BlobTransfer
    private let spool: any CompletionSpooling
    private let pool: BlockingPool
    private let logger: Logger
    private let gate: (any ModelGate)?
    private let clock = ContinuousClock()
    private let outbox = OutboxSlot()
    /// `nil` when nothing looks at pages.
    private let looks: PageLooks?
    private let accepted: AsyncStream<JobAttempt>
    private let accepting: AsyncStream<JobAttempt>.Continuation

    private var running: [JobLease: Running] = [:]
    /// False until this service runs, and again when it stops.
    private var isOpen = false
    private var isRestored = false
    private var isDraining = false
    /// Manifests that the next edits of a site are likely to start from.
    private var manifests = RecentManifests()

    /// - Parameters:
    ///   - readiness: of ``SandboxReadiness/check(directory:pool:)``; without a sandbox no job is taken.
    ///   - spool: takes results, durably.
    ///   - reporting: takes what a browser saw; without it no browser is started.
    ///   - gate: the way to models; without one only engines with a way of their own can ask.
    package init(
        configuration: Configuration, engines: [any Engine], readiness: SandboxReadiness, store: DirectoryBlobStore,
        transfer: any BlobTransfer, spool: any CompletionSpooling, pool: BlockingPool,
        gate: (any ModelGate)? = nil, reporting: (any CheckReporting)? = nil, logger: Logger
    ) {
        self.configuration = configuration
        self.engines = Dictionary(engines.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.readiness = readiness
        self.store = store
        self.transfer = transfer
        self.spool = spool
        self.pool = pool
        self.gate = gate
        looks =
            if let inspector = configuration.inspector, let reporting, case .ready(let runner) = readiness {
                PageLooks(
                    inspector: inspector, runner: runner, store: store, transfer: transfer, reporting: reporting,
                    pool: pool, logger: logger)
            } else {
                nil
            }
        self.logger = logger
        (accepted, accepting) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1024))
    }

    // MARK: Service

    /// Works until the agent is asked to stop; then takes nothing more and lets jobs end for a short while.
    package func run() async throws {
        try await restore()
        isOpen = true
        sendCredit()
        let accepting = accepting
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                if let looks { group.addTask { await cancelWhenGracefulShutdown { await looks.run() } } }
                for await attempt in accepted { group.addTask { await self.perform(attempt) } }
                isOpen = false
                sendCredit()
                if !running.isEmpty {
                    group.addTask { await self.endJobs() }
                }
            }
        } onGracefulShutdown: {
            accepting.finish()
        }
    }

    /// Finds what an earlier agent left and goes on with it. To be called before the first session opens, so that its
    /// leases are said to be held.
    ///
    /// - Parameter handedIn: leases whose results are on their way already.
    package func restore(handedIn: [JobLease] = []) async throws {
        guard !isRestored else { return }
        isRestored = true
        let (directory, able) = (configuration.directory, Set(engines.keys))
        let over = Set(handedIn)
        let logger = logger
        let left = try await pool.run {
            try Workspace.all(in: directory).compactMap { workspace -> LeftAttempt? in
                do {
                    return try LeftAttempt.find(in: workspace) { over.contains($0) }
                } catch {
                    logger.error(
                        "Could not go on with an interrupted job",
                        metadata: ["folder": "\(workspace.path)", "error": "\(error)"])
                    return nil
                }
            }
        }
        for attempt in left {
            let isAble = able.contains(attempt.offer.engine) || attempt.offer.kind == .look
            guard isAble, running[attempt.offer.lease] == nil else {
                try? await pool.run { try LeftAttempt.discard(attempt.workspace) }
                continue
            }
            await resume(attempt)
        }
    }

    private func resume(_ left: LeftAttempt) async {
        let offer = left.offer
        guard let engine = engine(for: offer) else { return }
        let control =
            if let task = left.task, task.process != 0 {
                AttemptControl(leaseDuration: offer.leaseDuration, remaining: task.leaseLeft, now: clock.now)
            } else {
                AttemptControl(leaseDuration: offer.leaseDuration, offeredAt: clock.now)
            }
        do {
            let directory = configuration.directory
            let (workspace, log) = try await pool.run {
                if left.task != nil {
                    return (left.workspace, try JobLog(path: left.workspace.log, isResumed: true))
                }
                // Nothing was started, so it is done again from the beginning.
                let workspace = try Workspace.make(for: offer, in: directory)
                try left.workspace.remove()
                return (workspace, try JobLog(path: workspace.log))
            }
            begin(offer, engine, control, workspace: workspace, log: log, found: left.task)
            logger.notice(
                "Went on with a job of an earlier agent",
                metadata: ["job.id": "\(offer.lease.job)", "attempt": "\(offer.lease.attempt)"])
        } catch {
            logger.error(
                "Could not go on with an interrupted job",
                metadata: ["job.id": "\(offer.lease.job)", "error": "\(error)"])
            try? await pool.run { try LeftAttempt.discard(left.workspace) }
        }
    }

    private func endJobs() async {
        guard case .end(let grace) = configuration.shutdown else {
            for job in running.values { job.control.leave() }
            return
        }
        let deadline = clock.now + grace
        while !running.isEmpty, clock.now < deadline, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
        }
        for job in running.values { job.control.stop(.shutdown) }
    }

    private func perform(_ attempt: JobAttempt) async {
        let lease = attempt.offer.lease
        let (ending, manifest) = await attempt.run()
        if let manifest { manifests.add(manifest) }
        switch ending {
        case .complete(let completion):
            if case .follows = completion.look, let manifest {
                let offer = attempt.offer
                looks?.expect(
                    PageLook(
                        lease: lease, base: offer.kind == .look ? nil : offer.base, version: manifest.digest,
                        pages: offer.lookPages))
            }
            await handIn(completion)
            logger.notice(
                "Ended a job",
                metadata: [
                    "job.id": "\(lease.job)", "attempt": "\(lease.attempt)", "outcome": "\(completion.outcome.word)",
                ])
        case .silent: break
        case .left:
            logger.notice(
                "Left a job to the next agent",
                metadata: ["job.id": "\(lease.job)", "attempt": "\(lease.attempt)"])
            running[lease] = nil
            return
        }
        await attempt.cleanUp()
        // The spool keeps the lease alive until the coordinator has judged.
        running[lease] = nil
        sendCredit()
    }

    /// A result that the disk does not take is offered a few times more; then the lease runs out and the job is tried
    /// again elsewhere.
    private func handIn(_ completion: JobCompletion) async {
        for attempt in 1... {
            do {
                return try await spool.submit(completion)
            } catch {
                logger.error(
                    "Could not keep the result of a job",
                    metadata: ["job.id": "\(completion.lease.job)", "error": "\(error)"])
                if attempt == 5 || Task.isCancelled { return }
                try? await Task.sleep(for: .seconds(attempt))
            }
        }
    }

    // MARK: SessionParticipant

    package func describe(in hello: inout AgentMessage.Hello) {
        hello.leases += heldLeases
        guard case .ready = readiness else { return }
        hello.engines.formUnion(engines.keys)
        if looks != nil, configuration.inspector?.canLook == true { hello.engines.insert(.browser) }
    }

    package func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) {
        self.outbox.replace(outbox)
        for job in running.values { job.reporter.sessionOpened() }
        sendCredit()
    }

    package func sessionClosed() {
        outbox.replace(nil)
        for job in running.values { job.control.withClock { $0.sessionEnded() } }
    }

    package func receive(_ message: CoordinatorMessage) async {
        switch message {
        case .offer(let offer): await take(offer)
        case .cancel(let lease): running[lease]?.control.stop(.cancelled)
        case .leaseLost(let lease): running[lease]?.control.stop(.leaseLost)
        case .renewed(let leases):
            for lease in leases { running[lease]?.control.withClock { $0.renewed() } }
        case .verdict(let lease, let verdict): looks?.judge(lease, verdict)
        case .welcome, .desired, .goAway, .upgrade, .renewCertificate: break
        }
    }

    package func report(in status: inout AgentStatus) {
        for job in running.values.sorted(by: { $0.offer.lease.job < $1.offer.lease.job }) {
            let progress = job.reporter.progress
            status.jobs.append(
                AgentStatus.JobLine(
                    job: "\(job.offer.lease.job)", site: "\(job.offer.site)", engine: job.offer.engine.rawValue,
                    step: progress.step, percent: progress.percent))
        }
        if case .unusable(let reason, let nextStep) = readiness {
            status.problems.append(
                AgentStatus.Problem(level: .bad, message: "this host cannot run jobs: \(reason)", nextStep: nextStep))
        }
    }

    // MARK: LeaseHolding

    /// The renewals of all of these count from now.
    package func leases() -> [JobLease] {
        let now = clock.now
        for job in running.values { job.control.withClock { $0.heartbeatSent(at: now) } }
        // Said again with every heartbeat: a coordinator that took a slot for a grant that came to nothing has it back.
        sendCredit()
        return heldLeases
    }

    /// What it works on now.
    package var jobs: Set<JobID> { Set(running.keys.map(\.job)) }

    private var heldLeases: [JobLease] { running.keys.sorted { $0.job < $1.job } }

    // MARK: Offers

    /// Takes no new job from now on; those that run go on.
    package func drain() {
        isDraining = true
        sendCredit()
    }

    package func resume() {
        isDraining = false
        sendCredit()
    }

    private var freeSlots: Int {
        guard case .ready = readiness, isOpen, !isDraining else { return 0 }
        return max(0, configuration.slots - running.count)
    }

    /// What is to run for an offer; `nil` when this worker has it not.
    private func engine(for offer: JobOffer) -> (any Engine)? {
        offer.kind == .look ? (looks == nil ? nil : NoEngine()) : engines[offer.engine]
    }

    private func sendCredit() { outbox.send(.credit(slots: freeSlots)) }

    private func take(_ offer: JobOffer) async {
        guard running[offer.lease] == nil else { return }
        let reason: String? =
            if case .unusable(let reason, _) = readiness {
                "this host cannot run jobs: \(reason)"
            } else if isDraining || !isOpen {
                "this host takes no more jobs"
            } else if freeSlots == 0 {
                "all \(configuration.slots) slots are taken"
            } else if engine(for: offer) == nil {
                "this host has no engine \(offer.engine.rawValue)"
            } else if running.keys.contains(where: { $0.job == offer.lease.job }) {
                "an earlier attempt still ends here"
            } else {
                nil
            }
        if let reason { return refuse(offer, reason) }
        guard let engine = engine(for: offer) else { return }
        let control = AttemptControl(leaseDuration: offer.leaseDuration, offeredAt: clock.now)
        let directory = configuration.directory
        let workspace: Workspace
        let log: JobLog
        do {
            (workspace, log) = try await pool.run {
                let workspace = try Workspace.make(for: offer, in: directory)
                return (workspace, try JobLog(path: workspace.log))
            }
        } catch {
            logger.error("Could not make the folder of a job", metadata: ["error": "\(error)"])
            return refuse(offer, JobFailure(during: error).message)
        }
        guard outbox.send(.accept(offer.lease)) else {
            // Unheard, so the coordinator takes the offer back by itself.
            try? await pool.run { try workspace.remove() }
            return
        }
        begin(offer, engine, control, workspace: workspace, log: log, found: nil)
        logger.notice(
            "Took a job",
            metadata: [
                "job.id": "\(offer.lease.job)", "site.id": "\(offer.site)", "engine": "\(offer.engine.rawValue)",
            ])
        sendCredit()
    }

    private func begin(
        _ offer: JobOffer, _ engine: any Engine, _ control: AttemptControl, workspace: Workspace, log: JobLog,
        found: SandboxTask?
    ) {
        let reporter = AttemptReporter(lease: offer.lease, outbox: outbox, log: log)
        let runner: SandboxRunner? = if case .ready(let runner) = readiness { runner } else { nil }
        running[offer.lease] = Running(offer: offer, control: control, reporter: reporter)
        let yielded = accepting.yield(
            JobAttempt(
                offer: offer, engine: engine, control: control, reporter: reporter, log: log, workspace: workspace,
                workshop: JobAttempt.Workshop(
                    runner: runner, store: store, transfer: transfer, pool: pool, logger: logger, gate: gate,
                    memory: configuration.memoryDirectory.map { ConversationMemory(directory: $0) },
                    inspector: looks == nil ? nil : configuration.inspector),
                found: found, known: manifests.all))
        // The agent stops; the next one finds the folder.
        guard case .enqueued = yielded else { return running[offer.lease] = nil }
    }

    private func refuse(_ offer: JobOffer, _ reason: String) {
        logger.notice("Refused a job", metadata: ["job.id": "\(offer.lease.job)", "reason": "\(reason)"])
        outbox.send(.reject(offer.lease, reason: reason))
        sendCredit()
    }
}

extension JobCompletion.Outcome {
    fileprivate var word: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed(let failure): failure.code
        case .cancelled: "cancelled"
        }
    }
}
