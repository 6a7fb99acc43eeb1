import Coordinator
import Domain

/// A worker host as a coordinator sees it: it takes what it is offered, needs `work` for each job, and hands in nothing.
struct SimulatedWorker: Sendable {
    let host: HostID
    let slots: Int
    let work: Duration
    /// Called with each offer, when it comes.
    let onOffer: @Sendable (JobOffer) -> Void
    /// Called when a result was taken.
    let onEnd: @Sendable (JobID) -> Void

    /// Keeps one session until it is cancelled.
    func run(on services: CoordinatorServices) async throws {
        let (frames, frame) = AsyncThrowingStream.makeStream(of: AgentMessage.self, throwing: (any Error).self)
        let held = Shared<Set<JobLease>>([])
        frame.yield(
            .hello(
                .init(
                    agentVersion: "1", roles: [.worker], bootID: "bench", leases: [], inventory: [],
                    engines: [.builtin])))
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (jobs, job) = AsyncStream.makeStream(of: JobLease.self)
            group.addTask {
                try await services.sessions.serve(host, incoming: frames) { message in
                    switch message {
                    case .welcome: frame.yield(.credit(slots: slots))
                    case .offer(let offer):
                        onOffer(offer)
                        held.withLock { _ = $0.insert(offer.lease) }
                        frame.yield(.accept(offer.lease))
                        job.yield(offer.lease)
                    case .verdict(let lease, _):
                        held.withLock { _ = $0.remove(lease) }
                        onEnd(lease.job)
                        frame.yield(.credit(slots: slots - held.withLock { $0.count }))
                    default: break
                    }
                }
            }
            group.addTask {
                while !Task.isCancelled {
                    try await Task.sleep(for: .seconds(10))
                    let leases = Array(held.withLock { $0 })
                    frame.yield(.heartbeat(leases: leases, diskFreeBytes: 1, diskTotalBytes: 2))
                }
            }
            group.addTask {
                await withDiscardingTaskGroup { running in
                    for await lease in jobs {
                        running.addTask {
                            if work > .zero { try? await Task.sleep(for: work) }
                            frame.yield(.complete(BenchCoordinator.emptyResult(lease)))
                        }
                    }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
