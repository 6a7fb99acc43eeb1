import AgentCore
import AgentProtocol
import Domain
import Synchronization
import Testing

/// An agent of this version beside a coordinator of the version before, which ends a session over a frame that it does
/// not know.
@Suite struct EarlierCoordinatorTests {
    @Test("How the host is, is told to coordinators that asked for it, and to no other", arguments: [true, false])
    func condition(isKnown: Bool) async throws {
        let said = Mutex<[AgentMessage]>([])
        let beats = Happenings<Void>()
        try await TestCoordinator.run { incoming, send, _ in
            for try await frame in incoming {
                let message = try AgentMessage(wire: frame)
                said.withLock { $0.append(message) }
                switch message {
                case .hello:
                    var welcome = CoordinatorMessage.Welcome(
                        sessionEpoch: 1, heartbeatInterval: .seconds(1), leaseDuration: .seconds(60),
                        coordinatorVersion: "0.0.9", versionKeys: [])
                    if isKnown { welcome.features = ["condition"] }
                    try await send(.welcome(welcome))
                case .heartbeat:
                    try await send(.renewed([]))
                    beats.add(())
                default: break
                }
            }
        } _: { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            let contact = CoordinatorContact(clock: HostClock())
            let facts = AgentFacts(version: "1.0", stateDirectory: coordinator.directory)
            let recorder = Recorder(problem: .init(level: .bad, message: "It is hot.", nextStep: "Wait."))
            let reporter = ConditionReporter(
                reporter: StatusReporter(
                    identity: identity, participants: [recorder], contact: contact, facts: facts, clock: HostClock()),
                drain: nil)
            let client = SessionClient(
                identity: identity, connection: try CoordinatorConnection(identity: identity, clock: HostClock()),
                participants: [recorder, reporter], leaseHolders: [recorder], contact: contact, facts: facts,
                pool: TestCoordinator.pool, logger: .silent)
            try await running([client.run, reporter.run]) {
                // Longer than it takes to look at the host twice.
                for _ in 0..<12 { try await beats.first() }
                // A session that had to be opened again, as on a busy machine, is told anew.
                let sessions = said.withLock { said in
                    said.split { if case .hello = $0 { true } else { false } }.map { session in
                        session.compactMap { message -> String? in
                            guard case .condition(let condition) = message else { return nil }
                            return condition.problem
                        }
                    }
                }
                #expect(sessions.allSatisfy { $0.isEmpty || $0 == ["It is hot."] })
                #expect(sessions.contains(["It is hot."]) == isKnown)
            }
        }
    }
}
