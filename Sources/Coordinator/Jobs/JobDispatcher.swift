import Domain
import Faults
package import Logging
package import Queue
import ServiceLifecycle
import Synchronization

/// Brings ready jobs and free workers together.
///
/// The queue says which job is next; the grant itself is one transaction of ``JobLedger``. What the queue forgot is
/// put back from the database every two seconds.
package final class JobDispatcher: Service {
    private struct OpenOffer {
        let lease: JobLease
        let host: HostID
        let deadline: ContinuousClock.Instant
    }

    private struct State {
        /// Jobs without a worker that could take them now.
        var parked: [JobID: Int] = [:]
        var openOffers: [JobID: OpenOffer] = [:]
    }

    private static let reconcileInterval = Duration.seconds(2)

    private let ledger: JobLedger
    private let queue: any JobQueue
    private let workers: WorkerPool
    private let settings: CoordinatorSettings
    private let logger: Logger
    private let state = Mutex(State())

    package init(
        ledger: JobLedger, queue: any JobQueue, workers: WorkerPool, settings: CoordinatorSettings, logger: Logger
    ) {
        self.ledger = ledger
        self.queue = queue
        self.workers = workers
        self.settings = settings
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.dispatchForever() }
                group.addTask { await self.reconcileForever() }
            }
        }
    }

    /// A worker has free slots: whoever waited for one is asked again.
    func workerBecameFree() async {
        let parked = state.withLock { state in
            defer { state.parked = [:] }
            return state.parked
        }
        for (job, priority) in parked.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            try? await queue.enqueue(job, priority: priority)
        }
    }

    /// The host answered an offer.
    func offerAnswered(_ lease: JobLease) {
        state.withLock { state in
            if state.openOffers[lease.job]?.lease == lease { state.openOffers[lease.job] = nil }
        }
    }

    private func dispatchForever() async {
        while !Task.isCancelled {
            do {
                if let job = try await queue.dequeue(timeout: .seconds(60)) { try await dispatch(job) }
            } catch is CancellationError {
                return
            } catch {
                // The database is out of reach or full. The job is still ready there and comes back with the next
                // reconciliation.
                logger.error("Could not dispatch a job", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    private func dispatch(_ id: JobID) async throws {
        guard let (engine, priority) = try await ledger.need(of: id) else { return }
        guard let worker = workers.takeSlot(engine: engine) else {
            state.withLock { $0.parked[id] = priority }
            return
        }
        guard let offer = try await ledger.grant(id, to: worker.host) else { return }
        state.withLock { state in
            state.openOffers[id] = OpenOffer(
                lease: offer.lease, host: worker.host, deadline: .now + settings.offerTimeout)
        }
        if !worker.send(.offer(offer)) {
            offerAnswered(offer.lease)
            try await ledger.handBack(offer.lease, from: worker.host)
        }
        FaultPoint.offerSent.reach()
    }

    private func reconcileForever() async {
        while !Task.isCancelled {
            do {
                try await withdrawUnansweredOffers()
                try await ledger.publishCounts()
                let parked = state.withLock { Set($0.parked.keys) }
                for job in try await ledger.readyJobs() where !parked.contains(job.id) {
                    try await queue.enqueue(job.id, priority: job.priority)
                }
            } catch is CancellationError {
                return
            } catch {
                logger.error("Could not reconcile the queue", metadata: ["error": "\(error)"])
            }
            // Ends early when cancelled.
            try? await Task.sleep(for: Self.reconcileInterval)
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
}
