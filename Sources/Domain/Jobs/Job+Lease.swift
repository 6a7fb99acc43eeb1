extension Job {
    /// What a completion under `lease` is worth: duplicate or stale, or `nil` when the lease is held now.
    package func verdict(on lease: JobLease, from host: HostID) -> CompletionVerdict? {
        if let grant, grant.lease == lease, grant.host == host { return nil }
        // An attempt ends once: when the job ended in this very attempt, the result took effect before.
        return isTerminal && attempt == lease.attempt ? .duplicate : .stale
    }

    /// Why it is to be taken from its host at `now`; `nil` while the host may keep it.
    ///
    /// - Parameters:
    ///   - grace: how long past its end a lease is left alone.
    ///   - cancelTimeout: how long the host may take to confirm that cancelled work is gone.
    package func reasonToTakeBack(at now: Timestamp, grace: Duration, cancelTimeout: Duration) -> JobFailure? {
        guard let grant else { return nil }
        if let asked = cancelRequestedAt, now - asked > cancelTimeout {
            return JobFailure(
                kind: .infrastructure, code: "cancel-timeout",
                message: "The worker host did not confirm that the work was stopped.")
        }
        guard now > grant.expiresAt + grace else { return nil }
        return JobFailure(
            kind: .infrastructure, code: JobFailure.leaseExpiredCode,
            message: "The worker host was not heard of for too long.")
    }
}
