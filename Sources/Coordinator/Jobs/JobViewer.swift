import Database
import Domain
import Persistence

/// Puts together what an owner sees of a job.
struct JobViewer: Sendable {
    let stores: Stores
    let workers: WorkerPool

    func view(_ record: JobRecord, in transaction: any SQLTransaction) async throws -> JobView {
        let edit = try await stores.edits.find(job: record.job.id, in: transaction)
        return JobView(
            job: record.job, edit: edit,
            waitReason: try await waitReason(record.job, engine: edit?.engine, in: transaction),
            summary: record.summary, findings: record.findings, usage: record.usage)
    }

    /// Which lock, held by which job; or which worker is missing.
    private func waitReason(
        _ job: Job, engine: EngineName?, in transaction: any SQLTransaction
    ) async throws -> String? {
        switch job.state {
        case .queued:
            guard let active = try await stores.jobs.active(of: job.site, in: transaction) else {
                return "Waits for its turn."
            }
            return "Another job of this site (\(active.job.id)) has the turn since \(active.job.updatedAt)."
        case .ready:
            return workers.waitReason(engine: engine ?? .builtin)
        case .leased, .succeeded, .failed, .cancelled, .dead:
            return nil
        }
    }
}
