import Domain
import Testing

/// What decides whether a write under a lease counts, and when a lease is over.
@Suite struct LeaseTests {
    private static let now = Timestamp(millisecondsSinceEpoch: 1_000_000)
    private static let host = HostID(at: now)

    private static func leasedJob() throws -> (site: Site, job: Job, lease: JobLease) {
        var site = Site(
            id: SiteID(at: now), owner: UserID(at: now), slug: try Slug("bakery"), name: "Bakery", createdAt: now)
        var job = Job(id: JobID(at: now), site: site.id, kind: .edit, createdAt: now)
        try job.join(behind: [], andQueued: 0, at: now)
        var generator = SystemRandomNumberGenerator()
        let lease = try job.grant(
            to: host, token: LeaseToken(using: &generator), fence: site.raiseFence(), until: now + .seconds(60),
            at: now)
        return (site, job, lease)
    }

    @Test("A write counts under the lease that its host holds, and under no other")
    func admits() throws {
        var (site, job, lease) = try Self.leasedJob()
        #expect(site.admits(lease, of: Self.host, on: job))
        #expect(!site.admits(lease, of: HostID(at: Self.now), on: job), "another host")
        var generator = SystemRandomNumberGenerator()
        let forged = JobLease(
            job: job.id, attempt: lease.attempt, token: LeaseToken(using: &generator), fence: lease.fence)
        #expect(!site.admits(forged, of: Self.host, on: job), "another token")
        _ = site.raiseFence()
        #expect(!site.admits(lease, of: Self.host, on: job), "the fence was raised")
    }

    @Test("A restored database enters an incarnation above every fence, and stays there")
    func incarnation() throws {
        var (site, job, lease) = try Self.leasedJob()
        site.enter(incarnation: 1)
        #expect(site.fence == Fence(incarnation: 1) && site.fence > lease.fence)
        #expect(!site.admits(lease, of: Self.host, on: job))
        let fence = site.raiseFence()
        site.enter(incarnation: 1)
        #expect(site.fence == fence)
        try job.lose(.interrupted, at: Self.now)
    }

    @Test("A completion is a duplicate in the attempt that ended the job, and stale in every other")
    func verdicts() throws {
        var (_, job, lease) = try Self.leasedJob()
        #expect(job.verdict(on: lease, from: Self.host) == nil)
        try job.succeed(lease, with: .first, at: Self.now)
        #expect(job.verdict(on: lease, from: Self.host) == .duplicate)
        let older = JobLease(job: job.id, attempt: 0, token: lease.token, fence: lease.fence)
        #expect(job.verdict(on: older, from: Self.host) == .stale)
    }

    private static func overdue(_ watch: inout LeaseWatch<ContinuousClock.Instant>, _ job: Job, _ seconds: Int)
        -> String?
    {
        watch.overdue(
            among: [job], at: start + .seconds(seconds), patience: .seconds(75), cancelTimeout: .seconds(10)
        ).first?.reason.code
    }

    private static let start = ContinuousClock.now

    @Test("A lease is over when nobody renewed it for the patience, and a cancelled one after the time for confirming")
    func takingBack() throws {
        var (_, job, lease) = try Self.leasedJob()
        var watch = LeaseWatch<ContinuousClock.Instant>()
        #expect(Self.overdue(&watch, job, 0) == nil)
        #expect(Self.overdue(&watch, job, 75) == nil)
        #expect(Self.overdue(&watch, job, 76) == JobFailure.expiryCode)
        try job.renew(lease, until: Self.now + .seconds(61))
        #expect(Self.overdue(&watch, job, 77) == nil, "it was renewed")
        try job.cancel(at: Self.now)
        #expect(Self.overdue(&watch, job, 78) == nil)
        #expect(Self.overdue(&watch, job, 88) == nil)
        #expect(Self.overdue(&watch, job, 89) == "cancel-timeout")
    }

    @Test("The times in a lease's row end nothing, whatever clock wrote them")
    func wrongClocks() throws {
        var (_, job, lease) = try Self.leasedJob()
        var watch = LeaseWatch<ContinuousClock.Instant>()
        for second in stride(from: 0, through: 600, by: 30) {
            // By a clock that is ten years slow.
            try job.renew(lease, until: Self.now + .seconds(60) + .milliseconds(second + 1))
            #expect(Self.overdue(&watch, job, second) == nil)
        }
    }

    @Test("Who could not look for a while counts every lease from when it can")
    func forgetting() throws {
        let (_, job, _) = try Self.leasedJob()
        var watch = LeaseWatch<ContinuousClock.Instant>()
        #expect(Self.overdue(&watch, job, 0) == nil)
        watch.forget()
        #expect(Self.overdue(&watch, job, 1000) == nil)
        #expect(Self.overdue(&watch, job, 1076) == JobFailure.expiryCode)
    }

    @Test("A lost lease silences every other reason to stop")
    func stopReasons() {
        #expect(AttemptStop.leaseLost.joining(.cancelled) == .leaseLost)
        #expect(AttemptStop.cancelled.joining(.shutdown) == .shutdown)
        #expect(AttemptStop.outcome(of: .cancelled, stoppedBy: .leaseLost) == nil)
        #expect(AttemptStop.outcome(of: .failed(.leaseExpired), stoppedBy: .cancelled) == .cancelled)
        #expect(AttemptStop.outcome(of: .cancelled, stoppedBy: .leaseExpired) == .failed(.leaseExpired))
    }
}
