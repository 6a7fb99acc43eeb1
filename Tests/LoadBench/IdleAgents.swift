import AgentCore
import ArgumentParser
import BlockingIO
import Coordinator
import Domain
import FleetIdentity
import Glibc
import Logging
import Persistence
import Synchronization

/// Agents that do nothing but keep their session, each with a certificate and a connection of its own. Prints one line of
/// JSON a second, until it is told to stop.
struct IdleAgents: AsyncParsableCommand {
    private struct Count {
        var open = 0
        var opened = 0
    }

    /// Counts sessions.
    private final class Counter: SessionParticipant {
        private let count = Mutex(Count())
        var current: Count { count.withLock { $0 } }

        func describe(in hello: inout AgentMessage.Hello) async {
            hello.engines = [.builtin]
        }
        func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) async {
            count.withLock {
                $0.open += 1
                $0.opened += 1
            }
        }
        func receive(_ message: CoordinatorMessage) async {}
        func sessionClosed() async { count.withLock { $0.open -= 1 } }
        func report(in status: inout AgentStatus) async {}
    }

    @Option(help: "Where the coordinator listens for agents.") var coordinator: String
    @Option(help: "The coordinator's database, to make the agents members.") var database: String
    @Option(help: "The coordinator's folder with the authority.") var authority: String
    @Option var count = 500
    @Option(help: "How many begin in a second.") var rate = 100

    func run() async throws {
        let database = try await BenchCoordinator.open(database)
        let now = SystemClock().now()
        let authority = try CertificateAuthority.loadOrCreate(inDirectory: authority, at: now)
        var identities: [AgentIdentity] = []
        for _ in 0..<count {
            let key = AgentKey()
            let id = HostID(at: now)
            let issued = try authority.issueAgentCertificate(for: id, signingRequest: try key.signingRequest(), at: now)
            let host = Host(
                id: id, name: "bench", roles: [.worker], certificateSerial: issued.serial,
                certificateExpiresAt: issued.notAfter, createdAt: now)
            try await database.withTransaction { try await Stores().hosts.insert(host, in: $0) }
            identities.append(
                try AgentIdentity(
                    key: key, certificateChain: issued.chain, trustRoots: [authority.root], coordinator: coordinator,
                    hostName: "bench", roles: [.worker]))
        }
        print("{\"members\":\(count)}")
        let counter = Counter()
        let pool = BlockingPool(label: "bench.agents", width: 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let began = ContinuousClock.now
                while !Task.isCancelled {
                    let current = counter.current
                    print(
                        "{\"at\":\((ContinuousClock.now - began).inSeconds),\"open\":\(current.open),"
                            + "\"opened\":\(current.opened)}")
                    // Whoever reads wants each line when it is written.
                    fflush(nil)
                    try await Task.sleep(for: .seconds(1))
                }
            }
            for identity in identities {
                let holder = AgentIdentityHolder(identity)
                let client = SessionClient(
                    identity: holder, connection: try CoordinatorConnection(identity: holder, clock: HostClock()),
                    participants: [counter], leaseHolders: [], contact: CoordinatorContact(clock: HostClock()),
                    facts: AgentFacts(version: "1", stateDirectory: "/tmp"), pool: pool,
                    logger: BenchCoordinator.logger)
                group.addTask { try await client.run() }
                try await Task.sleep(for: Duration.seconds(1) / rate)
            }
            try await group.waitForAll()
        }
    }
}
