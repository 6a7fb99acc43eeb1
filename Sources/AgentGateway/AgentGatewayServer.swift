import AgentProtocol
package import Coordinator
package import Domain
package import FleetIdentity
import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import Logging
import NIOCore
import ServiceLifecycle
import X509

/// The port where agents connect: gRPC over TLS 1.3, with the fleet's certificates on both sides.
///
/// A certificate is optional in the handshake, because a machine that joins has none yet; every call but `Enrol` asks
/// for it. One that is presented must be of the fleet's authority.
package struct AgentGatewayServer: Service {
    private let host: String
    private let port: Int
    private let credentials: AgentTLS
    private let authority: CertificateAuthority
    private let membership: HostMembership
    private let sessions: AgentSessions
    private let registry: SessionRegistry
    private let exchange: BlobExchange
    private let pageChecks: PageCheckService
    private let calls: OpenCalls
    private let clock: any WallClock
    private let logger: Logger
    private let onBound: @Sendable (_ port: Int) async -> Void

    /// `port` 0 picks a free one; `onBound` is told which. `names` are put into the certificate that follows
    /// `credential` when the authority was rotated.
    package init(
        host: String, port: Int, credential: ServerCredential, authority: CertificateAuthority,
        membership: HostMembership, sessions: AgentSessions, registry: SessionRegistry, exchange: BlobExchange,
        pageChecks: PageCheckService, calls: OpenCalls, names: [String] = [],
        clock: any WallClock = SystemClock(), logger: Logger,
        onBound: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.host = host
        self.port = port
        credentials = AgentTLS(authority: authority, credential: credential, names: names, clock: clock)
        self.clock = clock
        self.authority = authority
        self.membership = membership
        self.sessions = sessions
        self.registry = registry
        self.exchange = exchange
        self.pageChecks = pageChecks
        self.calls = calls
        self.logger = logger
        self.onBound = onBound
    }

    package func run() async throws {
        let connections = PeerConnections()
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: host, port: port), transportSecurity: .plaintext,
            config: try configuration(connections))
        let identity = AgentIdentityCheck(membership: membership, trustDomain: authority.trustDomain, clock: clock)
        let server = GRPCServer(
            transport: transport,
            services: [
                EnrolmentGateway(membership: membership, identity: identity),
                SessionGateway(sessions: sessions, identity: identity, connections: connections),
                BlobGateway(exchange: exchange, identity: identity, calls: calls),
                ChecksGateway(checks: pageChecks, identity: identity),
            ])
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.serve() }
                group.addTask {
                    guard case .some(let address) = try await transport.listeningAddress.ipv4 else { return }
                    logger.notice(
                        "Waiting for agents", metadata: ["host": "\(address.host)", "port": "\(address.port)"])
                    await onBound(address.port)
                }
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            registry.closeAll(reason: "the coordinator stops")
            server.beginGracefulShutdown()
        }
    }

    private func configuration(_ connections: PeerConnections) throws -> HTTP2ServerTransport.Posix.Config {
        let tls = credentials
        try tls.check()
        var configuration = HTTP2ServerTransport.Posix.Config.defaults
        configuration.http2.targetWindowSize = 1 << 20
        configuration.rpc.maxRequestPayloadSize = 24 << 20
        configuration.connection.keepalive = .init(
            time: .seconds(20), timeout: .seconds(10),
            clientBehavior: .init(minPingIntervalWithoutCalls: .seconds(5), allowWithoutCalls: true))
        // A frame of a session is answered at once; waiting for more to send together costs more than it saves.
        configuration.connection.flushCoalescing = nil
        // The transport has no way to ask for TLS 1.3 only, so TLS is put in front of it here. It still finds the
        // peer's certificate.
        configuration.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.syncOptions?.setOption(.allocator, value: QuietBuffers.allocator)
                try channel.pipeline.syncOperations.addHandler(try tls.makeHandler(), position: .first)
                connections.add(channel)
            }
        }
        return configuration
    }
}
