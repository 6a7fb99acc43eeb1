/// Sees which leases nobody renews any more, and which cancelled work nobody confirms, without comparing clocks.
///
/// The times in a job's row were written by some coordinator's wall clock, which may be wrong by an hour or by ten years.
/// This only looks whether they *change*: a lease is over when its row was the same for the whole patience, by the
/// watcher's own monotonic clock. So a jump of a clock neither ends a lease early nor keeps one for ever.
package struct LeaseWatch<Instant: InstantProtocol>: Sendable where Instant.Duration == Duration {
    private struct Sight: Sendable {
        let grant: Job.Grant
        let since: Instant
        let cancelledSince: Instant?
    }

    private var sights: [JobID: Sight] = [:]

    package init() {}

    /// Begins anew. To be called when renewals could not have come for a while: that a lease did not change meanwhile
    /// says nothing of its host.
    package mutating func forget() { sights = [:] }

    /// Takes all jobs that are leased now, and returns those that are to be taken from their hosts, in the same order.
    ///
    /// - Parameters:
    ///   - patience: how long a lease lasts without a renewal, the grace included.
    ///   - cancelTimeout: how long a host may take to confirm that cancelled work is gone.
    package mutating func overdue(
        among jobs: [Job], at now: Instant, patience: Duration, cancelTimeout: Duration
    ) -> [(job: Job, reason: JobFailure)] {
        var current: [JobID: Sight] = [:]
        var overdue: [(job: Job, reason: JobFailure)] = []
        for job in jobs {
            guard let grant = job.grant else { continue }
            let before = sights[job.id]
            let isSameLease = before?.grant.lease == grant.lease
            let since = isSameLease && before?.grant == grant ? before?.since ?? now : now
            let cancelledSince =
                job.cancelRequestedAt == nil ? nil : (isSameLease ? before?.cancelledSince : nil) ?? now
            current[job.id] = Sight(grant: grant, since: since, cancelledSince: cancelledSince)
            if let cancelledSince, cancelledSince.duration(to: now) > cancelTimeout {
                overdue.append((job, .cancelTimeout))
            } else if since.duration(to: now) > patience {
                overdue.append((job, .leaseForgotten))
            }
        }
        sights = current
        return overdue
    }
}

extension JobFailure {
    /// The code of a lease that nobody renewed.
    package static let expiryCode = "lease-expired"

    static let cancelTimeout = JobFailure(
        kind: .infrastructure, code: "cancel-timeout",
        message: "The worker host did not confirm that the work was stopped.")

    /// The database was restored, or a standby of it promoted, while a host worked.
    package static let superseded = JobFailure(
        kind: .infrastructure, code: "database-moved",
        message: "The database moved while this was worked on, so the result could not be taken.")

    static let leaseForgotten = JobFailure(
        kind: .infrastructure, code: expiryCode, message: "The worker host was not heard of for too long.")
}
