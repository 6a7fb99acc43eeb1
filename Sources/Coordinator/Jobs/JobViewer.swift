import Database
import Domain
import Persistence

/// Puts together what an owner sees of a job.
struct JobViewer: Sendable {
    let stores: Stores
    let workers: WorkerPool

    func view(_ record: JobRecord, in transaction: any SQLTransaction) async throws -> JobView {
        try await view(record, edit: try await stores.edits.find(job: record.job.id, in: transaction), in: transaction)
    }

    /// The same for a caller who has the edit.
    func view(_ record: JobRecord, edit: Edit?, in transaction: any SQLTransaction) async throws -> JobView {
        JobView(
            job: record.job, edit: edit, wait: try await wait(record.job, engine: edit?.engine, in: transaction),
            summary: record.summary, findings: record.findings, usage: record.usage,
            review: record.job.isTerminal ? try await stores.reviews.find(record.job.id, in: transaction) : nil,
            model: record.model, isFromCache: record.isFromCache)
    }

    /// Which lock, held by which job; or which worker is missing.
    private func wait(
        _ job: Job, engine: EngineName?, in transaction: any SQLTransaction
    ) async throws -> JobWait? {
        let isQueued: Bool
        switch job.state {
        case .queued: isQueued = true
        case .ready: isQueued = false
        case .leased, .succeeded, .answered, .failed, .cancelled, .dead: return nil
        }
        let (before, isRecovering, holders) = try await transaction.answers(
            isQueued ? stores.jobs.countBefore(queued: job) : stores.jobs.countBefore(ready: job),
            stores.installation.isRecovering, stores.jobs.active(of: job.site))
        let position = before + 1
        if isRecovering {
            return JobWait(
                reason: .recovery, message: "The coordinator is in recovery until an admin has looked.",
                position: position)
        }
        if isQueued, let active = holders.first {
            let since = active.grant?.acceptedAt ?? active.updatedAt
            return JobWait(
                reason: .siteBusy,
                message: "Another job of this site (\(active.id)) has the turn since \(since); "
                    + "this one is number \(position) behind it.", heldBy: active.id, since: since, position: position)
        }
        return workers.wait(engine: engine ?? .builtin, position: position)
    }
}
