package import Database
package import Domain
package import Persistence

/// Writes the row of an effect into the effect's own transaction: both are there, or neither is.
package struct AuditTrail: Sendable {
    private let store: AuditStore

    package init(stores: Stores) {
        store = stores.audit
    }

    package init(store: AuditStore) {
        self.store = store
    }

    /// Notes one effect. Once per effect, and never a secret in `details`.
    package func record(
        _ action: AuditAction, on subject: String, of site: SiteID? = nil, by actor: AuditActor,
        _ details: [String: String] = [:], requestID: String = "", at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws {
        try await store.append(
            AuditEntry(
                id: store.makeID(at: now).text, at: now, actor: actor.text, action: action.rawValue, subject: subject,
                site: site?.text, details: details, requestID: requestID), in: transaction)
    }

    /// The same for what a user asked for.
    package func record(
        _ action: AuditAction, on subject: String, of site: SiteID? = nil, for principal: Principal,
        _ details: [String: String] = [:], at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await record(
            action, on: subject, of: site, by: .user(principal.user), details, requestID: principal.requestID, at: now,
            in: transaction)
    }

    /// Notes that a job is over; does nothing while it is not.
    package func record(
        endOf job: Job, by actor: AuditActor, host: HostID? = nil, fence: Fence? = nil, requestID: String = "",
        at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        var details = ["attempt": String(job.attempt)]
        details["host"] = host?.text
        details["fence"] = fence?.description
        let action: AuditAction
        switch job.state {
        case .queued, .ready, .leased: return
        case .succeeded(let version):
            action = .jobSucceeded
            details["version"] = version.description
        case .answered:
            action = .jobAnswered
        case .failed(let failure):
            action = .jobFailed
            details["code"] = failure.code
        case .cancelled:
            action = .jobCancelled
        case .dead(let failure):
            action = .jobDied
            details["code"] = failure.code
        }
        try await record(
            action, on: job.id.text, of: job.site, by: actor, details, requestID: requestID, at: now, in: transaction)
    }
}
