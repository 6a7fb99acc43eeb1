package import Domain
import Synchronization

/// The workers that are connected to this coordinator, and how many jobs each can take now. In memory only: agents say
/// it again with every session.
package final class WorkerPool: Sendable {
    struct Worker: Sendable {
        let host: HostID
        let epoch: Int64
        let engines: Set<EngineName>
        var slots: Int
        var isDraining: Bool
        let send: @Sendable (CoordinatorMessage) -> Bool
    }

    private let workers = Mutex<[HostID: Worker]>([:])

    package init() {}

    func add(_ worker: Worker) {
        workers.withLock { $0[worker.host] = worker }
    }

    /// Forgets the worker of that session; a newer session's stays.
    func remove(_ host: HostID, epoch: Int64) {
        workers.withLock { if $0[host]?.epoch == epoch { $0[host] = nil } }
    }

    func setSlots(_ slots: Int, of host: HostID, epoch: Int64) {
        workers.withLock { if $0[host]?.epoch == epoch { $0[host]?.slots = max(0, min(slots, 1024)) } }
    }

    func setDraining(_ isDraining: Bool, of host: HostID) {
        workers.withLock { $0[host]?.isDraining = isDraining }
    }

    /// Takes one slot of the worker with the most free ones that runs `engine`.
    func takeSlot(engine: EngineName) -> Worker? {
        workers.withLock { workers in
            let fit = workers.values.filter { $0.slots > 0 && !$0.isDraining && $0.engines.contains(engine) }
            // Ties go to the older host, so that the choice does not depend on the order of a dictionary.
            guard let best = fit.max(by: { ($0.slots, $1.host) < ($1.slots, $0.host) }) else { return nil }
            workers[best.host]?.slots -= 1
            return best
        }
    }

    func send(_ message: CoordinatorMessage, to host: HostID) -> Bool {
        workers.withLock { $0[host] }?.send(message) ?? false
    }

    package func slots(of host: HostID) -> Int { workers.withLock { $0[host]?.slots ?? 0 } }

    /// Why a ready job has no worker.
    func wait(engine: EngineName, position: Int) -> JobWait {
        workers.withLock { workers in
            func wait(_ reason: JobWait.Reason, _ message: String) -> JobWait {
                JobWait(reason: reason, message: message, position: position)
            }
            if workers.isEmpty { return wait(.noWorker, "No worker host is connected.") }
            let able = workers.values.filter { $0.engines.contains(engine) }
            if able.isEmpty {
                return wait(.noCapableWorker, "No connected worker host can run the engine \(engine.rawValue).")
            }
            if able.allSatisfy(\.isDraining) {
                return wait(.draining, "Every worker host that could do it is being drained.")
            }
            if able.contains(where: { !$0.isDraining && $0.slots > 0 }) {
                return wait(.next, "A worker is about to take it.")
            }
            return wait(.workersBusy, "All workers are busy; it is number \(position) in the line.")
        }
    }
}
