/// One unit of work for one site, tried in attempts: a state machine without input or output.
///
/// `queued → ready → leased → succeeded | answered | failed | cancelled | dead`. Ready is the head of its site's line while the
/// site is idle; terminal states absorb. Attempts only grow. RELIABILITY rules Q1 to Q7 and L1, L2 hold here.
package struct Job: Sendable, Identifiable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case edit
        /// An edit once more from its transcript, to see that it comes to the same.
        case replay
        /// Makes a site from a brief.
        case generate
        /// Has a browser look at pages of a version; makes no other one.
        case look
    }

    package struct Grant: Sendable, Equatable {
        package let lease: JobLease
        package let host: HostID
        /// Silence past this instant costs the host its lease.
        package var expiresAt: Timestamp
        /// Set when the host said that it took the offer.
        package var acceptedAt: Timestamp?

        package init(lease: JobLease, host: HostID, expiresAt: Timestamp, acceptedAt: Timestamp? = nil) {
            self.lease = lease
            self.host = host
            self.expiresAt = expiresAt
            self.acceptedAt = acceptedAt
        }
    }

    package enum State: Sendable, Equatable {
        /// Waits behind another job of its site.
        case queued
        /// Waits for a worker.
        case ready
        case leased(Grant)
        case succeeded(VersionNumber)
        /// It was a question, and there is an answer; nothing changed.
        case answered
        case failed(JobFailure)
        case cancelled
        /// Lost too many hosts; a person must look.
        case dead(JobFailure)
    }

    /// How often a job may lose its host before it is dead.
    package static let maximumLosses = 3

    package let id: JobID
    package let site: SiteID
    package let kind: Kind
    /// The tries at one request that this is one of; `nil` for a job on its own. A try never moves what the site shows, so
    /// it may be worked on beside its siblings.
    package let trial: EditID?
    /// Higher goes first. Set when it becomes ready, so that users take turns.
    package private(set) var priority: Int
    package private(set) var state: State
    /// The attempt granted last; 0 before the first.
    package private(set) var attempt: Int
    /// How many accepted attempts ended because the machinery broke.
    package private(set) var losses: Int
    /// Set when somebody asked to stop it while a host works on it.
    package private(set) var cancelRequestedAt: Timestamp?
    /// What is going on, in a few words, and how far it is: 0 to 100, never falling within an attempt.
    package private(set) var step: String
    package private(set) var progress: Int
    package let createdAt: Timestamp
    package private(set) var updatedAt: Timestamp

    package init(
        id: JobID, site: SiteID, kind: Kind, trial: EditID? = nil, priority: Int = 0, state: State = .queued,
        attempt: Int = 0, losses: Int = 0, cancelRequestedAt: Timestamp? = nil, step: String = "", progress: Int = 0,
        createdAt: Timestamp, updatedAt: Timestamp? = nil
    ) {
        self.id = id
        self.site = site
        self.kind = kind
        self.trial = trial
        self.priority = priority
        self.state = state
        self.attempt = attempt
        self.losses = losses
        self.cancelRequestedAt = cancelRequestedAt
        self.step = step
        self.progress = progress
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
    }

    package var isTerminal: Bool {
        switch state {
        case .queued, .ready, .leased: false
        case .succeeded, .answered, .failed, .cancelled, .dead: true
        }
    }

    /// Whether it holds its site's line: at most one job of a site does, or tries at one request do together.
    package var isActive: Bool {
        switch state {
        case .ready, .leased: true
        default: false
        }
    }

    package var grant: Grant? {
        if case .leased(let grant) = state { grant } else { nil }
    }

    /// Moves to the head of its site's line.
    package mutating func makeReady(at now: Timestamp) throws(JobError) {
        guard case .queued = state else { throw .wrongState(id, actual: stateName, attempted: "make ready") }
        state = .ready
        updatedAt = now
    }

    /// Takes its place among the ready jobs of all users.
    package mutating func takeTurn(_ share: FairShare) { priority = share.nextPriority }

    /// Gives `host` one attempt. `fence` is the site's, raised for this grant.
    package mutating func grant(
        to host: HostID, token: LeaseToken, fence: Fence, until expiresAt: Timestamp, at now: Timestamp
    ) throws(JobError) -> JobLease {
        guard case .ready = state else { throw .wrongState(id, actual: stateName, attempted: "grant") }
        attempt += 1
        let lease = JobLease(job: id, attempt: attempt, token: token, fence: fence)
        state = .leased(Grant(lease: lease, host: host, expiresAt: expiresAt))
        step = "Waiting for the worker"
        progress = 0
        updatedAt = now
        return lease
    }

    /// The host took the offer: from now on a loss counts.
    package mutating func accept(_ lease: JobLease, until expiresAt: Timestamp, at now: Timestamp) throws(JobError) {
        var grant = try current(lease)
        grant.acceptedAt = grant.acceptedAt ?? now
        grant.expiresAt = max(grant.expiresAt, expiresAt)
        state = .leased(grant)
        updatedAt = now
    }

    /// The host did not take the offer, or a drain took it back before work began. No loss is counted.
    package mutating func handBack(_ lease: JobLease, at now: Timestamp) throws(JobError) {
        let grant = try current(lease)
        guard grant.acceptedAt == nil else { throw .wrongState(id, actual: stateName, attempted: "hand back") }
        state = cancelRequestedAt == nil ? .ready : .cancelled
        updatedAt = now
    }

    /// The host still works on it.
    package mutating func renew(_ lease: JobLease, until expiresAt: Timestamp) throws(JobError) {
        var grant = try current(lease)
        grant.expiresAt = max(grant.expiresAt, expiresAt)
        state = .leased(grant)
    }

    /// Notes how far it is. Progress never falls within an attempt.
    package mutating func report(_ lease: JobLease, step: String, progress: Int, at now: Timestamp) throws(JobError) {
        _ = try current(lease)
        self.step = step
        self.progress = max(self.progress, min(100, max(0, progress)))
        updatedAt = now
    }

    /// The host is gone or the machinery broke. The caller raises the site's fence in the same transaction.
    package mutating func lose(_ reason: JobFailure, at now: Timestamp) throws(JobError) {
        guard case .leased(let grant) = state else {
            throw .wrongState(id, actual: stateName, attempted: "take back")
        }
        if grant.acceptedAt != nil { losses += 1 }
        if cancelRequestedAt != nil {
            state = .cancelled
        } else if losses >= Self.maximumLosses {
            state = .dead(
                JobFailure(
                    kind: .infrastructure, code: "attempts-exhausted",
                    message: "The work was interrupted \(losses) times. The last time: \(reason.message)"))
        } else {
            state = .ready
            step = "Waiting for another try"
        }
        updatedAt = now
    }

    /// Ends the job with a version.
    package mutating func succeed(
        _ lease: JobLease, with version: VersionNumber, at now: Timestamp
    ) throws(JobError) {
        _ = try current(lease)
        state = .succeeded(version)
        step = "Done"
        progress = 100
        updatedAt = now
    }

    /// Ends the job with an answer and without a version.
    package mutating func answer(_ lease: JobLease, at now: Timestamp) throws(JobError) {
        _ = try current(lease)
        state = .answered
        step = "Done"
        progress = 100
        updatedAt = now
    }

    /// Ends the attempt with a failure. One of the machinery is worth another attempt; one of the task is final.
    package mutating func fail(_ lease: JobLease, with failure: JobFailure, at now: Timestamp) throws(JobError) {
        _ = try current(lease)
        switch failure.kind {
        case .infrastructure:
            try lose(failure, at: now)
        case .task:
            state = .failed(failure)
            updatedAt = now
        }
    }

    /// Stops it: at once while it waits, otherwise as soon as the host says that nothing runs any more.
    package mutating func cancel(at now: Timestamp) throws(JobError) {
        switch state {
        case .queued, .ready:
            state = .cancelled
            updatedAt = now
        case .leased:
            cancelRequestedAt = cancelRequestedAt ?? now
            step = "Stopping"
            updatedAt = now
        case .succeeded, .answered, .failed, .cancelled, .dead:
            throw .wrongState(id, actual: stateName, attempted: "cancel")
        }
    }

    /// The host confirmed that nothing runs any more.
    package mutating func confirmCancelled(_ lease: JobLease, at now: Timestamp) throws(JobError) {
        _ = try current(lease)
        state = .cancelled
        updatedAt = now
    }

    /// The lease that is held now, if `lease` is that lease in all its numbers.
    private func current(_ lease: JobLease) throws(JobError) -> Grant {
        guard case .leased(let grant) = state, grant.lease == lease else {
            throw .stale(id, presented: lease.attempt, current: attempt)
        }
        return grant
    }

    /// The word for the state in the API and in the database.
    package var stateName: StateName {
        switch state {
        case .queued: .queued
        case .ready: .ready
        case .leased: .leased
        case .succeeded: .succeeded
        case .answered: .answered
        case .failed: .failed
        case .cancelled: .cancelled
        case .dead: .dead
        }
    }

    package enum StateName: String, Sendable, CaseIterable {
        case queued, ready, leased, succeeded, answered, failed, cancelled, dead
    }
}
