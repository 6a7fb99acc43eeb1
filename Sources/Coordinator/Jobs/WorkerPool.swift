package import Domain
package import Queue
import Synchronization

/// The workers that are connected to this coordinator, and how many jobs each can take now. In memory only: agents say
/// it again with every session. Those that are connected elsewhere are known for the reasons why a job waits.
package final class WorkerPool: Sendable {
    struct Worker: Sendable {
        let host: HostID
        let epoch: Int64
        let engines: Set<EngineName>
        var slots: Int
        var isDraining: Bool
        /// What it works on, as far as it was said here.
        var held: Set<JobLease> = []
        let send: @Sendable (CoordinatorMessage) -> Bool
    }

    private let workers = Mutex<[HostID: Worker]>([:])
    private let others = Mutex<[HostPresence]>([])
    private let bus: any CoordinatorBus
    private let wakeUps = WakeUps()

    package init(bus: any CoordinatorBus) {
        self.bus = bus
    }

    /// Yields when a worker may have become free.
    func changes() -> AsyncStream<Void> { wakeUps.changes() }

    func add(_ worker: Worker) {
        workers.withLock { $0[worker.host] = worker }
        wakeUps.announce()
    }

    /// Forgets the worker of that session; a newer session's stays.
    func remove(_ host: HostID, epoch: Int64) {
        workers.withLock { if $0[host]?.epoch == epoch { $0[host] = nil } }
    }

    func setSlots(_ slots: Int, of host: HostID, epoch: Int64) {
        workers.withLock { if $0[host]?.epoch == epoch { $0[host]?.slots = max(0, min(slots, 1024)) } }
        if slots > 0 { wakeUps.announce() }
    }

    func setDraining(_ isDraining: Bool, of host: HostID) {
        let isResumed = workers.withLock { workers in
            defer { workers[host]?.isDraining = isDraining }
            return workers[host]?.isDraining == true && !isDraining
        }
        if isResumed { wakeUps.announce() }
    }

    /// What the workers with free slots can do.
    func freeLabels() -> Set<QueueLabel> {
        workers.withLock { workers in
            workers.values.reduce(into: []) { labels, worker in
                guard worker.slots > 0, !worker.isDraining else { return }
                for engine in worker.engines { labels.insert(QueueLabel(engine)) }
            }
        }
    }

    /// How many connected workers can run `engine`.
    func count(running engine: EngineName) -> Int {
        workers.withLock { $0.values.count { $0.engines.contains(engine) } }
    }

    /// A slot that was taken is not needed after all.
    func giveBack(_ worker: Worker) {
        workers.withLock { if $0[worker.host]?.epoch == worker.epoch { $0[worker.host]?.slots += 1 } }
        wakeUps.announce()
    }

    /// Takes one slot of the worker with the most free ones that can do what `label` says.
    func takeSlot(_ label: QueueLabel) -> Worker? {
        workers.withLock { workers in
            let fit = workers.values.filter { worker in
                worker.slots > 0 && !worker.isDraining && worker.engines.contains { QueueLabel($0) == label }
            }
            // Ties go to the older host, so that the choice does not depend on the order of a dictionary.
            guard let best = fit.max(by: { ($0.slots, $1.host) < ($1.slots, $0.host) }) else { return nil }
            workers[best.host]?.slots -= 1
            return best
        }
    }

    func send(_ message: CoordinatorMessage, to host: HostID) -> Bool {
        workers.withLock { $0[host] }?.send(message) ?? false
    }

    /// Says something about a lease to its host, which may have its session on another coordinator.
    func tell(_ message: CoordinatorMessage, to host: HostID) {
        if !send(message, to: host) { bus.publish(.leases(host)) }
    }

    func noteHeld(_ leases: [JobLease], by host: HostID, epoch: Int64) {
        workers.withLock { if $0[host]?.epoch == epoch { $0[host]?.held = Set(leases) } }
    }

    func noteStart(of lease: JobLease, by host: HostID) {
        workers.withLock { _ = $0[host]?.held.insert(lease) }
    }

    func noteEnd(of lease: JobLease, by host: HostID) {
        workers.withLock { _ = $0[host]?.held.remove(lease) }
    }

    func held(by host: HostID) -> Set<JobLease> { workers.withLock { $0[host]?.held ?? [] } }

    /// Whether it gets no new work; `nil` when it is not connected here.
    package func isDraining(_ host: HostID) -> Bool? { workers.withLock { $0[host]?.isDraining } }

    package func slots(of host: HostID) -> Int { workers.withLock { $0[host]?.slots ?? 0 } }

    /// The workers here.
    var all: [HostID: Worker] { workers.withLock { $0 } }

    func note(elsewhere sessions: [HostPresence]) { others.withLock { $0 = sessions.filter(\.isWorker) } }

    /// Why a ready job has no worker, here or on another coordinator.
    func wait(engine: EngineName, position: Int) -> JobWait {
        func wait(_ reason: JobWait.Reason, _ message: String) -> JobWait {
            JobWait(reason: reason, message: message, position: position)
        }
        let here = all
        var known = here.values.map { (engines: $0.engines, slots: $0.slots, isDraining: $0.isDraining) }
        // A host that came over a moment ago may still be written down where it was.
        for session in others.withLock({ $0 }) where here[session.host] == nil {
            known.append((engines: session.engines, slots: session.slots, isDraining: session.isDraining))
        }
        if known.isEmpty { return wait(.noWorker, "No worker host is connected.") }
        let able = known.filter { $0.engines.contains(engine) }
        if able.isEmpty, engine == .browser {
            return wait(.noCapableWorker, "No connected worker host has a browser.")
        }
        if able.isEmpty {
            return wait(.noCapableWorker, "No connected worker host can run the engine \(engine.rawValue).")
        }
        if able.allSatisfy({ $0.isDraining }) {
            return wait(.draining, "Every worker host that could do it is being drained.")
        }
        if able.contains(where: { !$0.isDraining && $0.slots > 0 }) {
            return wait(.next, "A worker is about to take it.")
        }
        return wait(.workersBusy, "All workers are busy; it is number \(position) in the line.")
    }
}
