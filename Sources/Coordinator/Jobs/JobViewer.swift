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
            job: record.job, edit: edit, wait: try await wait(record.job, engine: edit?.engine, in: transaction),
            summary: record.summary, findings: record.findings, usage: record.usage,
            review: record.job.isTerminal ? try await stores.reviews.find(record.job.id, in: transaction) : nil,
            model: record.model, isFromCache: record.isFromCache)
    }

    /// Which lock, held by which job; or which worker is missing.
    private func wait(
        _ job: Job, engine: EngineName?, in transaction: any SQLTransaction
    ) async throws -> JobWait? {
        let position: Int
        switch job.state {
        case .queued: position = try await stores.jobs.countBefore(queued: job, in: transaction) + 1
        case .ready: position = try await stores.jobs.countBefore(ready: job, in: transaction) + 1
        case .leased, .succeeded, .answered, .failed, .cancelled, .dead: return nil
        }
        if try await stores.installation.isRecovering(in: transaction) {
            return JobWait(
                reason: .recovery, message: "The coordinator is in recovery until an admin has looked.",
                position: position)
        }
        if case .queued = job.state, let active = try await stores.jobs.active(of: job.site, in: transaction).first {
            let since = active.grant?.acceptedAt ?? active.updatedAt
            return JobWait(
                reason: .siteBusy,
                message: "Another job of this site (\(active.id)) has the turn since \(since); "
                    + "this one is number \(position) behind it.", heldBy: active.id, since: since, position: position)
        }
        return workers.wait(engine: engine ?? .builtin, position: position)
    }
}
