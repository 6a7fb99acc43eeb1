import AgentCore
import Domain
import FleetIdentity
import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

struct StatusTests {
    private struct LateClock: WallClock {
        func now() -> Timestamp { HostClock().now() + .seconds(48 * 3600) }
    }

    private func makeReporter(
        _ coordinator: TestCoordinator, clock: any WallClock = HostClock(), problem: AgentStatus.Problem? = nil
    ) throws -> StatusReporter {
        StatusReporter(
            identity: try coordinator.makeIdentity().holder, participants: [Recorder(problem: problem)],
            contact: CoordinatorContact(clock: clock),
            facts: AgentFacts(version: "1.0", stateDirectory: coordinator.directory), clock: clock)
    }

    private func withServer(
        _ reporter: StatusReporter, path: String, _ body: @Sendable @escaping () async throws -> Void
    ) async throws {
        let bound = Happenings<Void>()
        let server = StatusServer(path: path, reporter: reporter, pool: TestCoordinator.pool, logger: .silent) {
            bound.add(())
        }
        try await running([server.run]) {
            try await bound.first()
            try await body()
        }
    }

    @Test("The socket tells what the agent knows, also without a coordinator")
    func asks() async throws {
        try await TestCoordinator.run { coordinator in
            let path = coordinator.directory + "/agent.sock"
            let problem = AgentStatus.Problem(level: .bad, message: "nginx does not answer.", nextStep: "Start it.")
            try await withServer(try makeReporter(coordinator, problem: problem), path: path) {
                let status = try await StatusClient(path: path).status()
                #expect(status.name == "web-1")
                #expect(status.roles == ["serving", "worker"])
                #expect(!status.isConnected)
                #expect(status.diskTotalBytes > 0)
                #expect(status.certificateExpiresAt != nil)
                #expect(status.level == .bad)
                #expect(status.problems.first == problem)
                #expect(status.problems.last?.level == .degraded)
                #expect(status.problems.last?.message.contains("Sites keep being served") == true)
            }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("An expired certificate is bad")
    func expired() async throws {
        try await TestCoordinator.run { coordinator in
            let status = try await makeReporter(coordinator, clock: LateClock()).status()
            #expect(status.level == .bad)
            #expect(status.problems.first?.message.contains("expired") == true)
        }
    }

    @Test("A socket that a crash left is replaced; one that an agent answers is not")
    func stale() async throws {
        try await TestCoordinator.run { coordinator in
            let path = coordinator.directory + "/agent.sock"
            let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(result == 0)
            close(left)
            let reporter = try makeReporter(coordinator)
            try await withServer(reporter, path: path) {
                let status = try await StatusClient(path: path).status()
                #expect(status.version == "1.0")
                let second = StatusServer(
                    path: path, reporter: reporter, pool: TestCoordinator.pool, logger: .silent)
                let error = await #expect(throws: ServiceError.self) { try await second.run() }
                #expect(error?.code == .failedPrecondition)
                let after = try await StatusClient(path: path).status()
                #expect(after.version == "1.0")
            }
        }
    }

    @Test("Without an agent the client says how to start it")
    func nobody() async throws {
        try await withTemporaryDirectory { path in
            let error = await #expect(throws: ServiceError.self) {
                try await StatusClient(path: path + "/agent.sock").status()
            }
            #expect(error?.rule == "agent-not-running")
            #expect(error?.nextStep != nil)
        }
    }

    @Test(
        "Nonsense on the socket gets no answer and harms nobody",
        arguments: ["hello\n", "\n", String(repeating: "x", count: 9000)])
    func nonsense(text: String) async throws {
        try await TestCoordinator.run { coordinator in
            let path = coordinator.directory + "/agent.sock"
            try await withServer(try makeReporter(coordinator), path: path) {
                let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .connect(unixDomainSocketPath: path) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                        }
                    }
                let answered = try? await channel.executeThenClose { answers, requests in
                    try await requests.write(ByteBuffer(string: text))
                    var count = 0
                    for try await answer in answers { count += answer.readableBytes }
                    return count
                }
                #expect((answered ?? 0) == 0)
                let after = try await StatusClient(path: path).status()
                #expect(after.version == "1.0")
            }
        }
    }
}
