import Domain
package import Logging
import ServiceLifecycle

/// Gives jobs another attempt when their host went silent, and ends cancelled jobs whose host does not confirm.
///
/// For a while after a start every lease counts as longer: nobody could renew it while no coordinator ran.
package struct LeaseReaper: Service {
    private static let interval = Duration.seconds(1)

    private let ledger: JobLedger
    private let workers: WorkerPool
    private let settings: CoordinatorSettings
    private let logger: Logger

    package init(ledger: JobLedger, workers: WorkerPool, settings: CoordinatorSettings, logger: Logger) {
        self.ledger = ledger
        self.workers = workers
        self.settings = settings
        self.logger = logger
    }

    package func run() async throws {
        let startedAt = ContinuousClock.now
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Ends early when cancelled.
                try? await Task.sleep(for: Self.interval)
                let isEarly = ContinuousClock.now - startedAt < settings.leaseGraceAfterStart
                do {
                    try await reap(extraGrace: isEarly ? settings.leaseGraceAfterStart : .zero)
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("Could not look for expired leases", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private func reap(extraGrace: Duration) async throws {
        for (job, reason) in try await ledger.overdue(extraGrace: extraGrace) {
            guard let grant = job.grant else { continue }
            try await ledger.lose(job.id, lease: grant.lease, because: reason)
            workers.tell(.leaseLost(grant.lease), to: grant.host)
        }
    }
}
