import Database
import Domain

/// Writes the events of jobs.
struct JobEvents: Sendable {
    let feed: EventFeed

    func append(
        _ kind: Event.Kind, _ job: Job, owner: UserID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        var body: [String: EventValue] = [
            "job_id": EventValue(job.id), "site_id": EventValue(job.site), "state": .text(job.stateName.rawValue),
            "step": .text(job.step), "progress": EventValue(job.progress), "attempt": EventValue(job.attempt),
        ]
        if case .succeeded(let version) = job.state { body["version"] = EventValue(version) }
        if case .failed(let failure) = job.state { body["error"] = .text(failure.message) }
        if case .dead(let failure) = job.state { body["error"] = .text(failure.message) }
        try await feed.append(kind, owner: owner, site: job.site, body: body, at: now, in: transaction)
    }
}
