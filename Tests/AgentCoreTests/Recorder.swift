import AgentCore
import Domain

/// A participant that writes down what it is told.
actor Recorder: SessionParticipant, LeaseHolding {
    enum Event: Sendable, Equatable {
        case opened(epoch: Int64)
        case received(CoordinatorMessage)
        case closed
    }

    nonisolated let events = Happenings<Event>()
    private let held: [JobLease]
    private let problem: AgentStatus.Problem?
    private(set) var outbox: (any AgentOutbox)?

    init(leases: [JobLease] = [], problem: AgentStatus.Problem? = nil) {
        held = leases
        self.problem = problem
    }

    func describe(in hello: inout AgentMessage.Hello) {
        hello.leases += held
        hello.engines.insert(.builtin)
    }

    func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) {
        self.outbox = outbox
        events.add(.opened(epoch: welcome.sessionEpoch))
    }

    func receive(_ message: CoordinatorMessage) { events.add(.received(message)) }

    func sessionClosed() {
        outbox = nil
        events.add(.closed)
    }

    func report(in status: inout AgentStatus) {
        if let problem { status.problems.append(problem) }
    }

    func leases() -> [JobLease] { held }
}

/// An outbox that keeps everything.
final class KeepingOutbox: AgentOutbox {
    let sent = Happenings<AgentMessage>()

    func send(_ message: AgentMessage) -> Bool {
        sent.add(message)
        return true
    }
}

enum Sample {
    static let now = TestCoordinator.now()
    static let site = SiteID(at: now)

    static func lease(attempt: Int = 1) -> JobLease {
        var generator = SystemRandomNumberGenerator()
        return JobLease(
            job: JobID(at: now), attempt: attempt, token: LeaseToken(using: &generator), fence: Fence(rawValue: 5))
    }

    static func welcome(epoch: Int64 = 1, interval: Duration = .seconds(1)) -> CoordinatorMessage {
        .welcome(
            .init(
                sessionEpoch: epoch, heartbeatInterval: interval, leaseDuration: .seconds(60),
                coordinatorVersion: "test", versionKeys: []))
    }
}
