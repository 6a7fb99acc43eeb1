import AgentProtocol
import Domain
import FleetIdentity
import GRPCCore
import Logging
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import AgentCore

struct SessionClientTests {
    private func makeClient(
        _ coordinator: TestCoordinator, identity: AgentIdentityHolder, recorder: Recorder,
        contact: CoordinatorContact, opening: Duration = .seconds(20), first: Duration = .milliseconds(5),
        last: Duration = .milliseconds(20),
        others: [any SessionParticipant] = []
    ) throws -> SessionClient {
        SessionClient(
            identity: identity, connection: try CoordinatorConnection(identity: identity, clock: HostClock()),
            participants: [recorder] + others, leaseHolders: [recorder], contact: contact,
            facts: AgentFacts(version: "1.0", stateDirectory: coordinator.directory), pool: TestCoordinator.pool,
            timing: SessionTiming(
                firstDelay: first, lastDelay: last, opening: opening, stable: .seconds(10)),
            logger: .silent)
    }

    @Test("A session says hello, hears the welcome, and beats with the leases that are held")
    func conversation() async throws {
        let lease = Sample.lease()
        let heard = Happenings<AgentMessage>()
        try await TestCoordinator.run { incoming, send, _ in
            for try await frame in incoming {
                let message = try AgentMessage(wire: frame)
                heard.add(message)
                switch message {
                case .hello:
                    try await send(Sample.welcome(epoch: 7))
                    try await send(.cancel(lease))
                    try await send(.leaseLost(lease))
                case .heartbeat(let leases, _, _): try await send(.renewed(leases))
                default: break
                }
            }
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let recorder = Recorder(leases: [lease, lease])
            let contact = CoordinatorContact(clock: HostClock())
            let client = try makeClient(coordinator, identity: identity, recorder: recorder, contact: contact)
            try await running([client.run]) {
                guard case .hello(let hello) = try await heard.first() else {
                    Issue.record("the first frame is no hello")
                    return
                }
                #expect(hello.leases == [lease])
                #expect(hello.roles == [.worker, .serving])
                #expect(hello.engines == [.builtin])
                #expect(!hello.bootID.isEmpty)
                #expect(try await recorder.events.first() == .opened(epoch: 7))
                #expect(try await recorder.events.first() == .received(.cancel(lease)))
                #expect(try await recorder.events.first() == .received(.leaseLost(lease)))
                #expect(contact.facts.isConnected)
                #expect(contact.facts.sessionEpoch == 7)
                await recorder.outbox?.send(.credit(slots: 3))
                #expect(try await heard.first { $0 == .credit(slots: 3) } == .credit(slots: 3))
                guard case .heartbeat([lease], let free, let total) = try await heard.first(where: \.isHeartbeat) else {
                    Issue.record("the heartbeat does not hold the lease once")
                    return
                }
                #expect(free > 0 && total >= free)
                #expect(try await recorder.events.first() == .received(.renewed([lease])))
            }
            #expect(!contact.facts.isConnected)
            #expect(try await recorder.events.first { $0 == .closed } == .closed)
        }
    }

    @Test("When the coordinator ends a session, another is opened, and participants are told")
    func reconnects() async throws {
        let epochs = Mutex<Int64>(0)
        try await TestCoordinator.run { incoming, send, _ in
            let epoch = epochs.withLock {
                $0 += 1; return $0
            }
            try await send(Sample.welcome(epoch: epoch, interval: .seconds(10)))
            if epoch == 2 { throw ServiceError(.conflict, "a newer session was opened", rule: "session-superseded") }
            if epoch >= 4 { for try await _ in incoming {} }
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let recorder = Recorder()
            let contact = CoordinatorContact(clock: HostClock())
            let client = try makeClient(coordinator, identity: identity, recorder: recorder, contact: contact)
            try await running([client.run]) {
                for epoch in Int64(1)...3 {
                    let opened = try await recorder.events.first()
                    #expect(opened == .opened(epoch: epoch))
                    let closed = try await recorder.events.first()
                    #expect(closed == .closed)
                }
                let last = try await recorder.events.first()
                #expect(last == .opened(epoch: 4))
            }
        }
    }

    @Test("Sessions that were open for a moment only do not make the wait for the next one long")
    func shortSessions() async throws {
        let epochs = Mutex<Int64>(0)
        let enough = Happenings<Int64>()
        try await TestCoordinator.run { _, send, _ in
            let epoch = epochs.withLock {
                $0 += 1; return $0
            }
            try await send(Sample.welcome(epoch: epoch, interval: .seconds(10)))
            if epoch == 30 { enough.add(epoch) }
            throw ServiceError(.unavailable, "the coordinator dies", rule: "dies")
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            // If the wait went on to double, the thirtieth session would come after months.
            let client = try makeClient(
                coordinator, identity: identity, recorder: Recorder(), contact: CoordinatorContact(clock: HostClock()),
                last: .seconds(86_400 * 365))
            try await running([client.run]) {
                let last = try await enough.first()
                #expect(last == 30)
            }
        }
    }

    @Test("A coordinator that says goodbye gets the time that it asked for")
    func goAway() async throws {
        let epochs = Mutex<Int64>(0)
        let delay = Duration.milliseconds(300)
        try await TestCoordinator.run { incoming, send, _ in
            let epoch = epochs.withLock {
                $0 += 1; return $0
            }
            try await send(Sample.welcome(epoch: epoch, interval: .seconds(10)))
            if epoch == 1 { try await send(.goAway(reason: "restart", delay: delay)) }
            for try await _ in incoming {}
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let recorder = Recorder()
            let contact = CoordinatorContact(clock: HostClock())
            let client = try makeClient(coordinator, identity: identity, recorder: recorder, contact: contact)
            try await running([client.run]) {
                _ = try await recorder.events.first { $0 == .closed }
                let closed = ContinuousClock.now
                _ = try await recorder.events.first { $0 == .opened(epoch: 2) }
                #expect(ContinuousClock.now - closed >= delay - .milliseconds(50))
            }
        }
    }

    @Test("Of several coordinators any one will do, and the next one when it says goodbye", arguments: 0..<4)
    func severalCoordinators(try number: Int) async throws {
        let epochs = Mutex<Int64>(0)
        try await TestCoordinator.run { incoming, send, _ in
            let epoch = epochs.withLock {
                $0 += 1; return $0
            }
            try await send(Sample.welcome(epoch: epoch, interval: .seconds(10)))
            if epoch == 1 { try await send(.goAway(reason: "restart", delay: .zero)) }
            for try await _ in incoming {}
        } _: { coordinator in
            let dead = try freePorts(1)[0]
            let (identity, _) = try coordinator.makeIdentity(coordinator: "127.0.0.1:\(dead),\(coordinator.address)")
            let recorder = Recorder()
            let contact = CoordinatorContact(clock: HostClock())
            let client = try makeClient(coordinator, identity: identity, recorder: recorder, contact: contact)
            try await running([client.run]) {
                _ = try await recorder.events.first { $0 == .opened(epoch: 2) }
            }
        }
    }

    @Test("A coordinator that falls silent is left after three intervals")
    func silence() async throws {
        let epochs = Mutex<Int64>(0)
        try await TestCoordinator.run { incoming, send, _ in
            let epoch = epochs.withLock {
                $0 += 1; return $0
            }
            try await send(Sample.welcome(epoch: epoch, interval: .milliseconds(50)))
            for try await _ in incoming {}
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let recorder = Recorder()
            let contact = CoordinatorContact(clock: HostClock())
            let client = try makeClient(coordinator, identity: identity, recorder: recorder, contact: contact)
            try await running([client.run]) {
                _ = try await recorder.events.first { $0 == .opened(epoch: 2) }
            }
        }
    }

    @Test("A coordinator that takes the call and never says welcome is left")
    func neverWelcome() async throws {
        let calls = Happenings<Void>()
        try await TestCoordinator.run { incoming, _, _ in
            calls.add(())
            for try await _ in incoming {}
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let contact = CoordinatorContact(clock: HostClock())
            let client = try makeClient(
                coordinator, identity: identity, recorder: Recorder(), contact: contact, opening: .milliseconds(200))
            try await running([client.run]) {
                for _ in 0..<2 { try await calls.first() }
                #expect(contact.facts.failure?.rule == "peer-silence")
            }
        }
    }

    @Test("What the coordinator says of a host's silence arrives as that")
    func ownSilence() async throws {
        try await TestCoordinator.run { _, send, _ in
            try await send(Sample.welcome(epoch: 1, interval: .seconds(10)))
            throw ServiceError(.unavailable, "the agent fell silent", rule: "session-silence")
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let recorder = Recorder()
            let contact = CoordinatorContact(clock: HostClock())
            // There is no second session that could clear the failure.
            let client = try makeClient(
                coordinator, identity: identity, recorder: recorder, contact: contact, first: .seconds(100_000),
                last: .seconds(100_000))
            try await running([client.run]) {
                _ = try await recorder.events.first { $0 == .closed }
                let deadline = ContinuousClock.now + .seconds(60)
                while contact.facts.failure == nil, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(contact.facts.failure?.rule == SilenceWatch.ruleOfCoordinator)
            }
        }
    }

    @Test("A frame of a kind that is not known is passed over; one that cannot be true ends the session")
    func strangeFrames() async throws {
        let epochs = Mutex<Int64>(0)
        try await TestCoordinator.run { incoming, send, _ in
            let epoch = epochs.withLock {
                $0 += 1; return $0
            }
            try await send(Sample.welcome(epoch: epoch, interval: .seconds(10)))
            if epoch == 1 { try await send(Sample.welcome(epoch: 99)) }
            for try await _ in incoming {}
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let recorder = Recorder()
            let contact = CoordinatorContact(clock: HostClock())
            let client = try makeClient(coordinator, identity: identity, recorder: recorder, contact: contact)
            try await running([client.run]) {
                let opened = try await recorder.events.first()
                #expect(opened == .opened(epoch: 1))
                let closed = try await recorder.events.first()
                #expect(closed == .closed)
                let reopened = try await recorder.events.first()
                #expect(reopened == .opened(epoch: 2))
            }
        }
    }

    @Test("A new certificate is used at once, by one new session")
    func renewedCertificate() async throws {
        let serials = Happenings<String>()
        try await TestCoordinator.run { incoming, send, serial in
            serials.add(serial)
            try await send(Sample.welcome(interval: .seconds(10)))
            for try await _ in incoming {}
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let recorder = Recorder()
            let contact = CoordinatorContact(clock: HostClock())
            let client = try makeClient(coordinator, identity: identity, recorder: recorder, contact: contact)
            try await running([client.run]) {
                #expect(try await serials.first() == identity.current.certificate.serial)
                _ = try await recorder.events.first()
                let key = AgentKey()
                let old = identity.current
                let issued = try coordinator.authority.issueAgentCertificate(
                    for: old.host, signingRequest: key.signingRequest(), at: TestCoordinator.now())
                identity.replace(
                    with: try old.renewed(
                        key: key, certificateChain: issued.chain, trustRoots: old.trustRoots, roles: old.roles))
                #expect(try await serials.first() == issued.serial)
            }
        }
    }

    @Test("A coordinator of another fleet is refused, and the status says why")
    func otherFleet() async throws {
        try await TestCoordinator.run { ours in
            try await TestCoordinator.run { theirs in
                let (identity, _) = try ours.makeIdentity(coordinator: theirs.address)
                let contact = CoordinatorContact(clock: HostClock())
                let client = try makeClient(ours, identity: identity, recorder: Recorder(), contact: contact)
                try await running([client.run]) {
                    while contact.facts.failure?.rule != "certificate-chain" {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    #expect(contact.facts.failure?.nextStep != nil)
                }
            }
        }
    }

    @Test("A coordinator that nobody reaches is said to be out of reach")
    func unreachable() async throws {
        try await TestCoordinator.run { coordinator in
            // Port 1 of this host: nobody listens there.
            let (identity, _) = try coordinator.makeIdentity(coordinator: "127.0.0.1:1")
            let contact = CoordinatorContact(clock: HostClock())
            let client = try makeClient(coordinator, identity: identity, recorder: Recorder(), contact: contact)
            try await running([client.run]) {
                while contact.facts.failure == nil { try await Task.sleep(for: .milliseconds(10)) }
                #expect(contact.facts.failure?.rule == "coordinator-unreachable")
                #expect(contact.facts.failure?.nextStep != nil)
            }
        }
    }

    @Test("A finished job is sent again on the next session, until its verdict, and then forgotten")
    func spool() async throws {
        let completion = JobCompletion(lease: Sample.lease(), outcome: .cancelled, summary: "", usage: .zero)
        let epochs = Mutex<Int64>(0)
        let completions = Happenings<Int64>()
        try await TestCoordinator.run { incoming, send, _ in
            let epoch = epochs.withLock {
                $0 += 1; return $0
            }
            for try await frame in incoming {
                switch try AgentMessage(wire: frame) {
                case .hello(let hello):
                    if epoch > 1 { #expect(hello.leases == [completion.lease]) }
                    try await send(Sample.welcome(epoch: epoch, interval: .seconds(10)))
                case .complete(completion):
                    completions.add(epoch)
                    if epoch == 1 { return }
                    try await send(.verdict(completion.lease, .applied))
                default: break
                }
            }
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let contact = CoordinatorContact(clock: HostClock())
            let directory = coordinator.directory + "/spool"
            let recorder = Recorder()
            let spool = try await CompletionSpool(directory: directory, pool: TestCoordinator.pool, logger: .silent)
            let client = try makeClient(
                coordinator, identity: identity, recorder: recorder, contact: contact, others: [spool])
            try await running([client.run, spool.run]) {
                _ = try await recorder.events.first()
                try await spool.submit(completion)
                #expect(try await completions.first() == 1)
                #expect(try await completions.first() == 2)
                _ = try await recorder.events.first { $0 == .received(.verdict(completion.lease, .applied)) }
                while await !spool.leases().isEmpty { await Task.yield() }
            }
            let again = try await CompletionSpool(directory: directory, pool: TestCoordinator.pool, logger: .silent)
            #expect(await again.leases().isEmpty)
        }
    }
}

extension AgentMessage {
    var isHeartbeat: Bool { if case .heartbeat = self { true } else { false } }
}
