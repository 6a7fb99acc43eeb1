import Domain
import Testing

/// The state machine of a job: every move from every state.
@Suite struct JobTests {
    private static let now = Timestamp(millisecondsSinceEpoch: 1_000_000)
    private static let host = HostID(at: now)
    private static let failure = JobFailure(kind: .task, code: "x", message: "x")

    private static func makeJob(_ name: Job.StateName) throws -> (job: Job, lease: JobLease?) {
        var job = Job(id: JobID(at: now), site: SiteID(at: now), kind: .edit, createdAt: now)
        if name == .queued { return (job, nil) }
        if name == .cancelled {
            try job.cancel(at: now)
            return (job, nil)
        }
        try job.makeReady(at: now)
        if name == .ready { return (job, nil) }
        let lease = try grant(&job, fence: 1)
        switch name {
        case .leased: break
        case .succeeded: try job.succeed(lease, with: .first, at: now)
        case .answered: try job.answer(lease, at: now)
        case .failed: try job.fail(lease, with: failure, at: now)
        case .dead:
            var current = lease
            for fence in 2...4 {
                try job.accept(current, until: now, at: now)
                try job.lose(JobFailure(kind: .infrastructure, code: "gone", message: "gone"), at: now)
                if fence < 4 { current = try grant(&job, fence: Int64(fence)) }
            }
        case .queued, .ready, .cancelled: break
        }
        return (job, lease)
    }

    private static func grant(_ job: inout Job, fence: Int64) throws -> JobLease {
        var generator = SystemRandomNumberGenerator()
        return try job.grant(
            to: host, token: LeaseToken(using: &generator), fence: Fence(rawValue: fence), until: now + .seconds(60),
            at: now)
    }

    @Test("A job can be made in every state", arguments: Job.StateName.allCases)
    func states(name: Job.StateName) throws {
        #expect(try Self.makeJob(name).job.stateName == name)
    }

    @Test(
        "Terminal states absorb every move",
        arguments: [Job.StateName.succeeded, .answered, .failed, .cancelled, .dead])
    func terminal(name: Job.StateName) throws {
        var (job, lease) = try Self.makeJob(name)
        let before = job
        #expect(job.isTerminal && !job.isActive)
        #expect(throws: JobError.self) { try job.makeReady(at: Self.now) }
        #expect(throws: JobError.self) { try Self.grant(&job, fence: 99) }
        #expect(throws: JobError.self) { try job.cancel(at: Self.now) }
        #expect(throws: JobError.self) { try job.lose(Self.failure, at: Self.now) }
        if let lease {
            #expect(throws: JobError.self) { try job.accept(lease, until: Self.now, at: Self.now) }
            #expect(throws: JobError.self) { try job.renew(lease, until: Self.now) }
            #expect(throws: JobError.self) { try job.report(lease, step: "x", progress: 1, at: Self.now) }
            #expect(throws: JobError.self) { try job.succeed(lease, with: .first, at: Self.now) }
            #expect(throws: JobError.self) { try job.fail(lease, with: Self.failure, at: Self.now) }
            #expect(throws: JobError.self) { try job.handBack(lease, at: Self.now) }
            #expect(throws: JobError.self) { try job.confirmCancelled(lease, at: Self.now) }
        }
        #expect(job == before)
    }

    @Test("Only a ready job is granted", arguments: [Job.StateName.queued, .leased])
    func grantNeedsReady(name: Job.StateName) throws {
        var job = try Self.makeJob(name).job
        #expect(throws: JobError.self) { try Self.grant(&job, fence: 9) }
    }

    @Test("A late writer is refused whichever of its four numbers is old")
    func staleLease() throws {
        var (job, held) = try Self.makeJob(.leased)
        let lease = try #require(held)
        var generator = SystemRandomNumberGenerator()
        let others = [
            JobLease(job: lease.job, attempt: lease.attempt + 1, token: lease.token, fence: lease.fence),
            JobLease(job: lease.job, attempt: lease.attempt, token: LeaseToken(using: &generator), fence: lease.fence),
            JobLease(job: lease.job, attempt: lease.attempt, token: lease.token, fence: lease.fence.next),
            JobLease(job: JobID(at: Self.now), attempt: lease.attempt, token: lease.token, fence: lease.fence),
        ]
        for other in others {
            #expect(throws: JobError.self) { try job.succeed(other, with: .first, at: Self.now) }
        }
        try job.succeed(lease, with: .first, at: Self.now)
        #expect(job.state == .succeeded(.first))
    }

    @Test("An offer that was not taken costs nothing")
    func handBack() throws {
        var (job, held) = try Self.makeJob(.leased)
        for fence in 2...20 {
            try job.handBack(try #require(held), at: Self.now)
            held = try Self.grant(&job, fence: Int64(fence))
        }
        #expect(job.losses == 0)
        #expect(job.attempt == 20)
    }

    @Test("Three lost hosts make a job dead, and attempts only grow")
    func dead() throws {
        let job = try Self.makeJob(.dead).job
        #expect(job.losses == 3)
        #expect(job.attempt == 3)
        guard case .dead(let failure) = job.state else {
            Issue.record("\(job.state)")
            return
        }
        #expect(failure.code == "attempts-exhausted")
    }

    @Test("A failure of the machinery is another attempt, one of the task is the end")
    func failures() throws {
        var (job, held) = try Self.makeJob(.leased)
        let lease = try #require(held)
        try job.accept(lease, until: Self.now, at: Self.now)
        try job.fail(lease, with: JobFailure(kind: .infrastructure, code: "disk", message: "full"), at: Self.now)
        #expect(job.stateName == .ready)
        let second = try Self.grant(&job, fence: 2)
        try job.fail(second, with: Self.failure, at: Self.now)
        #expect(job.stateName == .failed)
    }

    @Test("A cancelled job that runs ends when its host confirms, or when its host is lost")
    func cancel() throws {
        var (job, held) = try Self.makeJob(.leased)
        let lease = try #require(held)
        try job.cancel(at: Self.now)
        #expect(job.stateName == .leased && job.cancelRequestedAt == Self.now)
        var lost = job
        try job.confirmCancelled(lease, at: Self.now)
        #expect(job.stateName == .cancelled)
        try lost.lose(JobFailure(kind: .infrastructure, code: "gone", message: "gone"), at: Self.now)
        #expect(lost.stateName == .cancelled)
    }

    @Test("Progress never falls within an attempt and begins anew with the next")
    func progress() throws {
        var (job, held) = try Self.makeJob(.leased)
        let lease = try #require(held)
        try job.report(lease, step: "a", progress: 60, at: Self.now)
        try job.report(lease, step: "b", progress: 40, at: Self.now)
        #expect(job.progress == 60 && job.step == "b")
        try job.report(lease, step: "c", progress: 1000, at: Self.now)
        #expect(job.progress == 100)
        try job.handBack(lease, at: Self.now)
        _ = try Self.grant(&job, fence: 2)
        #expect(job.progress == 0)
    }

    @Test("Renewing moves the end of a lease forward only")
    func renew() throws {
        var (job, held) = try Self.makeJob(.leased)
        let lease = try #require(held)
        try job.renew(lease, until: Self.now + .seconds(100))
        try job.renew(lease, until: Self.now + .seconds(10))
        #expect(job.grant?.expiresAt == Self.now + .seconds(100))
    }
}
