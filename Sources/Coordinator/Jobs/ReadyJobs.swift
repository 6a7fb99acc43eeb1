package import Database
import Domain
package import Logging
package import Persistence
package import Queue

/// Tells the queue which jobs wait for a worker, after the commit that made them wait. Only a hint: when the queue does
/// not take it, the dispatcher is told to look into the database.
package struct ReadyJobs: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let queue: any JobQueue
    private let logger: Logger
    private let missedHints = WakeUps()
    let sites = JobSites()

    package init(database: any SQLDatabase, stores: Stores, queue: any JobQueue, logger: Logger) {
        self.database = database
        self.stores = stores
        self.queue = queue
        self.logger = logger
    }

    /// The job waits for a worker; it is not to be given to one before `delay` has passed, if that can be had.
    func announce(_ job: Job, delay: Duration = .zero) async {
        sites.note([job.id: job.site])
        do {
            guard let engine = try await engine(of: job.id) else { return }
            try await queue.enqueue(
                QueueEntry(job: job.id, label: QueueLabel(engine), priority: job.priority), delay: delay)
        } catch {
            logger.debug("Could not put a job into the queue", metadata: ["job.id": "\(job.id)", "error": "\(error)"])
            missedHints.announce()
        }
    }

    private func engine(of job: JobID) async throws -> EngineName? {
        if let known = sites.engine(of: job) { return known }
        let edit = try await database.answer(stores.edits.find(job: job), isHint: true)
        guard let engine = edit?.engine else { return nil }
        sites.note(engine, of: job)
        return engine
    }

    /// The job does not wait any more. One that stays in the queue is refused when it is taken.
    func withdraw(_ job: JobID) async {
        do {
            try await queue.remove(job)
        } catch {
            logger.debug("Could not take a job out of the queue", metadata: ["job.id": "\(job)", "error": "\(error)"])
        }
    }

    /// Yields when the queue did not take a job.
    func misses() -> AsyncStream<Void> { missedHints.changes() }
}
