extension Job {
    /// What a completion under `lease` is worth: duplicate or stale, or `nil` when the lease is held now.
    package func verdict(on lease: JobLease, from host: HostID) -> CompletionVerdict? {
        if let grant, grant.lease == lease, grant.host == host { return nil }
        // An attempt ends once: when the job ended in this very attempt, the result took effect before.
        return isTerminal && attempt == lease.attempt ? .duplicate : .stale
    }
}
