import Domain
import Faults
package import Logging
import Metrics
package import Queue
import ServiceLifecycle
import Synchronization
import Telemetry

/// Brings ready jobs and the free workers of this coordinator together.
///
/// The queue says which job is next, of those that a worker here could take now; the grant itself is one transaction of
/// ``JobLedger``. Twice a second the queue gets back from the database what it forgot, and when it does not answer, jobs
/// are dispatched from the database without it.
package final class JobDispatcher: Service {
    private struct OpenOffer {
        let lease: JobLease
        let host: HostID
        let deadline: ContinuousClock.Instant
    }

    private struct State {
        var openOffers: [JobID: OpenOffer] = [:]
        var grantsInProgress = 0
        /// When a timer for a delayed entry fires next.
        var timerAt: ContinuousClock.Instant?
        var isQueueLost = false
    }

    private static let reconcileInterval = Duration.milliseconds(500)
    private static let reportInterval = Duration.seconds(10)
    /// How many grants are written side by side.
    private static let grantsAtOnce = 8
    /// How many ready jobs of one label are looked at in the database at once.
    private static let page = 1000

    private let ledger: JobLedger
    private let queue: any JobQueue
    private let ready: ReadyJobs
    private let workers: WorkerPool
    private let settings: CoordinatorSettings
    private let logger: Logger
    private let state = Mutex(State())

    package init(
        ledger: JobLedger, queue: any JobQueue, ready: ReadyJobs, workers: WorkerPool, settings: CoordinatorSettings,
        logger: Logger
    ) {
        self.ledger = ledger
        self.queue = queue
        self.ready = ready
        self.workers = workers
        self.settings = settings
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.dispatchForever() }
                group.addTask { await self.reconcileForever() }
                group.addTask { await self.reportForever() }
            }
        }
    }

    /// The host answered an offer.
    func offerAnswered(_ lease: JobLease) {
        state.withLock { state in
            if state.openOffers[lease.job]?.lease == lease { state.openOffers[lease.job] = nil }
        }
    }

    // MARK: From the queue

    private func dispatchForever() async {
        let (wakeUps, wakeUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        // Subscribed before the first question.
        let sources = [queue.changes(), workers.changes()]
        await withDiscardingTaskGroup { group in
            for source in sources { group.addTask { for await _ in source { wakeUp.yield() } } }
            wakeUp.yield()
            for await _ in wakeUps {
                while let entry = await self.takeNext(timer: { self.setTimer($0, in: &group, wakeUp) }) {
                    group.addTask {
                        await self.dispatch(entry)
                        self.state.withLock { $0.grantsInProgress -= 1 }
                        wakeUp.yield()
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// The next job that a worker here can take now; `nil` when there is none, or no answer. Counts as a grant in
    /// progress.
    private func takeNext(timer: (Duration) -> Void) async -> QueueEntry? {
        guard state.withLock({ $0.grantsInProgress }) < Self.grantsAtOnce else { return nil }
        let labels = workers.freeLabels()
        guard !labels.isEmpty else { return nil }
        do {
            let answer = try await queue.take(labels)
            noteQueue(isLost: nil)
            switch answer {
            case .entry(let entry):
                state.withLock { $0.grantsInProgress += 1 }
                return entry
            case .empty(let nextAfter):
                if let nextAfter { timer(nextAfter) }
                return nil
            }
        } catch {
            if !(error is CancellationError) {
                noteQueue(isLost: error)
                timer(.milliseconds(500))
            }
            return nil
        }
    }

    private func setTimer(
        _ duration: Duration, in group: inout DiscardingTaskGroup, _ wakeUp: AsyncStream<Void>.Continuation
    ) {
        let instant = ContinuousClock.now + duration
        let isFirst = state.withLock { state in
            if let timerAt = state.timerAt, timerAt <= instant, timerAt > .now { return false }
            state.timerAt = instant
            return true
        }
        guard isFirst else { return }
        group.addTask {
            try? await Task.sleep(until: instant, clock: .continuous)
            self.state.withLock { if $0.timerAt == instant { $0.timerAt = nil } }
            wakeUp.yield()
        }
    }

    private func noteQueue(isLost error: (any Error)?) {
        let wasLost = state.withLock { state in
            defer { state.isQueueLost = error != nil }
            return state.isQueueLost
        }
        if let error, !wasLost {
            logger.warning(
                "The queue does not answer; jobs are dispatched from the database", metadata: ["error": "\(error)"])
        } else if error == nil, wasLost {
            logger.notice("The queue answers again")
        }
    }

    private func dispatch(_ entry: QueueEntry) async {
        guard let worker = workers.takeSlot(entry.label) else {
            // The worker went in the meantime. Somebody else may have one.
            try? await queue.enqueue(entry)
            return
        }
        do {
            _ = try await offer(entry.job, to: worker)
        } catch {
            // The database is out of reach or full. The job is still ready there and comes back with the next
            // reconciliation.
            logger.error("Could not dispatch a job", metadata: ["job.id": "\(entry.job)", "error": "\(error)"])
            // What is wrong is wrong for the next one too. Ends early when cancelled.
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Grants and offers a job to a worker of which a slot was taken. When nothing comes of it, the slot is free again.
    private func offer(_ id: JobID, to worker: WorkerPool.Worker) async throws -> Bool {
        let offer: JobOffer?
        do {
            offer = try await ledger.grant(id, to: worker.host, able: worker.engines)
        } catch {
            workers.giveBack(worker)
            throw error
        }
        guard let offer else {
            workers.giveBack(worker)
            return false
        }
        state.withLock { state in
            state.openOffers[id] = OpenOffer(
                lease: offer.lease, host: worker.host, deadline: .now + settings.offerTimeout)
        }
        if !worker.send(.offer(offer)) {
            offerAnswered(offer.lease)
            try await ledger.handBack(offer.lease, from: worker.host)
        }
        FaultPoint.offerSent.reach()
        return true
    }

    // MARK: From the database

    private func reconcileForever() async {
        let misses = WakeUpsOrTime(changes: ready.misses(), interval: Self.reconcileInterval)
        try? await misses.forEach { _ in
            do {
                try await self.withdrawUnansweredOffers()
                try await self.reconcile()
            } catch is CancellationError {
                return
            } catch {
                self.logger.error("Could not reconcile the queue", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Gives the queue what it forgot of the jobs that a worker here could take now; dispatches them itself when the
    /// queue does not answer.
    private func reconcile() async throws {
        for label in workers.freeLabels().sorted() {
            let entries = try await ledger.readyEntries(label, limit: Self.page)
            guard !entries.isEmpty else { continue }
            do {
                try await queue.restore(entries)
            } catch {
                if error is CancellationError { throw error }
                noteQueue(isLost: error)
                try await dispatchWithoutQueue(entries)
            }
        }
    }

    private func dispatchWithoutQueue(_ entries: [QueueEntry]) async throws {
        for entry in entries {
            guard let worker = workers.takeSlot(entry.label) else { return }
            if try await offer(entry.job, to: worker) { MetricsSystem.factory.increment(.jobsTakenFromDatabase) }
        }
    }

    private func withdrawUnansweredOffers() async throws {
        let overdue = state.withLock { state in
            let overdue = state.openOffers.values.filter { $0.deadline < .now }
            for offer in overdue { state.openOffers[offer.lease.job] = nil }
            return overdue
        }
        for offer in overdue {
            logger.warning(
                "Withdrew an offer that the host did not answer",
                metadata: ["job.id": "\(offer.lease.job)", "host.id": "\(offer.host)"])
            _ = workers.send(.leaseLost(offer.lease), to: offer.host)
            try await ledger.handBack(offer.lease, from: offer.host)
        }
    }

    private func reportForever() async {
        while !Task.isCancelled {
            try? await ledger.publishCounts()
            if let depths = try? await queue.depths() {
                for engine in EngineName.allCases {
                    MetricsSystem.factory.set(
                        .queueDepth, to: depths[QueueLabel(engine), default: 0], engine.rawValue)
                }
            }
            // Ends early when cancelled.
            try? await Task.sleep(for: Self.reportInterval)
        }
    }
}
