import Domain
import Testing

@testable import Coordinator

/// What an agent says and is told on its session, with the real use cases behind it.
@Suite(.timeLimit(.minutes(5))) struct SessionTests {
    /// Lets `agent` take the next job and says how it ended; returns its lease.
    private func work(_ agent: SessionFixture.Agent, log: String) async throws -> JobLease {
        agent.say(.credit(slots: 1))
        let offer = try await agent.next { if case .offer(let offer) = $0 { offer } else { nil } }
        agent.say(.accept(offer.lease))
        agent.say(.log(offer.lease, text: log, droppedBytes: 0))
        agent.say(
            .complete(
                JobCompletion(
                    lease: offer.lease,
                    outcome: .failed(JobFailure(kind: .task, code: "engine-failed", message: "It did not work.")),
                    summary: "", usage: .zero)))
        let verdict = try await agent.next { if case .verdict(_, let verdict) = $0 { verdict } else { nil } }
        #expect(verdict == .applied)
        return offer.lease
    }

    @Test("What an attempt printed last comes behind its result, and is kept; from others, or much later, it is not")
    func lateLog() async throws {
        try await SessionFixture.with { fixture in
            let site = try await fixture.makeSite("bakery")
            let host = try await fixture.join([.worker])
            let other = try await fixture.join([.worker])
            let (_, job) = try await fixture.services.edits.submit(
                prompt: "Change it", engine: nil, baseVersion: nil, to: site.text, for: fixture.admin)
            let lease = try await fixture.session(of: host, [.worker]) { agent in
                let lease = try await work(agent, log: "first\n")
                agent.say(.log(lease, text: "last\n", droppedBytes: 0))
                var generator = SystemRandomNumberGenerator()
                let forged = JobLease(
                    job: lease.job, attempt: lease.attempt, token: LeaseToken(using: &generator), fence: lease.fence)
                agent.say(.log(forged, text: "forged\n", droppedBytes: 0))
                try await agent.settle()
                return lease
            }
            try await fixture.session(of: other, [.worker]) { agent in
                agent.say(.log(lease, text: "not mine\n", droppedBytes: 0))
                try await agent.settle()
            }
            try await fixture.session(of: host, [.worker]) { agent in
                agent.say(.log(lease, text: "really last\n", droppedBytes: 7))
                try await agent.settle()
                fixture.clock.advance(by: EndedAttempts.patience)
                agent.say(.log(lease, text: "too late\n", droppedBytes: 0))
                try await agent.settle()
            }
            let log = try await fixture.services.jobs.log(job.job.id, for: fixture.admin)
            #expect(log == "first\nlast\n[7 bytes of the log were dropped here]\nreally last\n")
        }
    }

    @Test("How many ended attempts are remembered is bounded")
    func bounded() {
        let ended = EndedAttempts()
        let now = Timestamp(millisecondsSinceEpoch: 0)
        let host = HostID(at: now)
        var generator = SystemRandomNumberGenerator()
        let leases = (0..<1500).map { attempt in
            JobLease(
                job: JobID(at: now), attempt: attempt, token: LeaseToken(using: &generator), fence: Fence(rawValue: 1))
        }
        for lease in leases { ended.note(lease, of: host, at: now) }
        #expect(!ended.contains(leases[0], of: host, at: now))
        #expect(ended.contains(leases[1499], of: host, at: now))
        #expect(!ended.contains(leases[1499], of: host, at: now + EndedAttempts.patience))
    }

    @Test("A host with more sites than one message takes is told of all of them, in parts; so is what changes")
    func snapshotInParts() async throws {
        try await SessionFixture.with(settings: CoordinatorSettings(sitesPerMessage: 3)) { fixture in
            let host = try await fixture.join([.serving])
            var sites: Set<SiteID> = []
            for number in 1...8 { sites.insert(try await fixture.makeSite("site-\(number)")) }
            let all = sites
            try await fixture.session(of: host, [.serving]) { agent in
                var named: [SiteID] = []
                for index in 0..<3 {
                    let (values, part) = try await agent.next {
                        if case .desired(let values, let part) = $0 { (values, part) } else { nil }
                    }
                    #expect(part == .snapshot(index: index, isLast: index == 2))
                    #expect(values.count == (index == 2 ? 2 : 3))
                    named += values.map(\.site)
                }
                #expect(named.count == 8)
                #expect(Set(named) == all)

                for site in all {
                    _ = try await fixture.services.sites.clearMaintenance(on: site.text, for: fixture.admin)
                }
                var changed: Set<SiteID> = []
                while changed != all {
                    let (values, part) = try await agent.next {
                        if case .desired(let values, let part) = $0 { (values, part) } else { nil }
                    }
                    #expect(part == .change)
                    #expect((1...3).contains(values.count))
                    changed.formUnion(values.map(\.site))
                }
            }
        }
    }

    @Test("A host without sites is told so in one part, and one with exactly a part's worth too", arguments: [0, 3])
    func oneSnapshotPart(count: Int) async throws {
        try await SessionFixture.with(settings: CoordinatorSettings(sitesPerMessage: 3)) { fixture in
            let host = try await fixture.join([.serving])
            for number in 0..<count { _ = try await fixture.makeSite("site-\(number)") }
            try await fixture.session(of: host, [.serving]) { agent in
                let (values, part) = try await agent.next {
                    if case .desired(let values, let part) = $0 { (values, part) } else { nil }
                }
                #expect(values.count == count)
                #expect(part == .whole)
            }
        }
    }
}
