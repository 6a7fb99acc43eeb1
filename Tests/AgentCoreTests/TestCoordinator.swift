import AgentCore
import AgentProtocol
import BlockingIO
import Domain
import FleetIdentity
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import NIOCore
import NIOSSL
import SwiftProtobuf
import TestSupport
import X509

/// A coordinator that does what a test says, behind the real transport: gRPC over TLS 1.3 with the fleet's certificates.
struct TestCoordinator: Sendable {
    /// Serves one session: what the agent says, how to answer, and the serial of the certificate it showed.
    typealias Session =
        @Sendable (
            _ incoming: RPCAsyncSequence<Pagewright_Agent_V1_AgentFrame, any Error>,
            _ send: @Sendable (CoordinatorMessage) async throws -> Void, _ serial: String
        ) async throws -> Void

    let authority: CertificateAuthority
    let address: String
    let directory: String

    static let pool = BlockingPool(label: "agent-core-tests", width: 4)

    static func now() -> Timestamp { HostClock().now() }

    /// A member of the fleet, saved in a folder of its own.
    func makeIdentity(coordinator: String? = nil) throws -> (holder: AgentIdentityHolder, store: AgentIdentityStore) {
        let key = AgentKey()
        let issued = try authority.issueAgentCertificate(
            for: HostID(at: Self.now()), signingRequest: key.signingRequest(), at: Self.now())
        let identity = try AgentIdentity(
            key: key, certificateChain: issued.chain, trustRoots: [authority.root],
            coordinator: coordinator ?? address, hostName: "web-1", roles: [.worker, .serving])
        let store = AgentIdentityStore(directory: directory + "/identity-\(UUID().uuidString)")
        try store.save(identity)
        return (AgentIdentityHolder(identity), store)
    }

    static func run(
        session: @escaping Session = { _, _, _ in throw ServiceError(.unavailable, "no sessions here") },
        enrolment: any Pagewright_Agent_V1_Enrolment.SimpleServiceProtocol = NoEnrolment(),
        blobs: any Pagewright_Agent_V1_Blobs.SimpleServiceProtocol = NoBlobs(),
        credential: (@Sendable (CertificateAuthority) throws -> ServerCredential)? = nil,
        _ body: @Sendable @escaping (TestCoordinator) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: directory + "/ca", at: now())
            let credential = try credential?(authority) ?? authority.issueServerCertificate(at: now())
            var config = HTTP2ServerTransport.Posix.Config.defaults
            config.http2.targetWindowSize = 1 << 20
            config.rpc.maxRequestPayloadSize = 8 << 20
            let tls = try tlsContext(credential, authority)
            config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
                }
            }
            let transport = HTTP2ServerTransport.Posix(
                address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext, config: config)
            let server = GRPCServer(
                transport: transport, services: [SessionService(session: session), enrolment, blobs])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try? await server.serve() }
                // Politely: a connection that the kernel took already must find somebody.
                defer { server.beginGracefulShutdown() }
                let port = try await transport.listeningAddress.ipv4!.port
                try await body(
                    TestCoordinator(authority: authority, address: "127.0.0.1:\(port)", directory: directory))
            }
        }
    }

    private static func tlsContext(_ credential: ServerCredential, _ authority: CertificateAuthority) throws
        -> NIOSSLContext
    {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try credential.certificate.chain.map {
                .certificate(try NIOSSLCertificate(bytes: $0, format: .der))
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(credential.privateKeyPEM.utf8), format: .pem)))
        tls.minimumTLSVersion = .tlsv13
        tls.certificateVerification = .optionalVerification
        tls.trustRoots = .certificates([try NIOSSLCertificate(bytes: authority.root, format: .der)])
        tls.applicationProtocols = ["h2"]
        return try NIOSSLContext(configuration: tls)
    }

    static func peer(_ context: ServerContext) throws -> AgentCertificate {
        guard let certificate = (context.transportSpecific as? HTTP2ServerTransport.Posix.Context)?.peerCertificate
        else {
            throw ServiceError(.unauthenticated, "no certificate", rule: "certificate-missing")
        }
        return try AgentCertificate(certificate)
    }
}

private struct SessionService: Pagewright_Agent_V1_Session.SimpleServiceProtocol {
    let session: TestCoordinator.Session

    func open(
        request: RPCAsyncSequence<Pagewright_Agent_V1_AgentFrame, any Error>,
        response: RPCWriter<Pagewright_Agent_V1_CoordinatorFrame>, context: ServerContext
    ) async throws {
        try await session(request, { try await response.write($0.wire) }, try TestCoordinator.peer(context).serial)
    }
}

struct NoEnrolment: Pagewright_Agent_V1_Enrolment.SimpleServiceProtocol {
    func enrol(
        request: Pagewright_Agent_V1_EnrolRequest, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_CertificateResponse {
        throw ServiceError(.failedPrecondition, "nobody joins here")
    }

    func renew(
        request: Pagewright_Agent_V1_RenewRequest, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_CertificateResponse {
        throw ServiceError(.failedPrecondition, "nobody renews here")
    }
}

struct NoBlobs: Pagewright_Agent_V1_Blobs.SimpleServiceProtocol {
    func findMissing(
        request: Pagewright_Agent_V1_FindMissingRequest, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_FindMissingResponse { .init() }

    func getManifest(
        request: Pagewright_Agent_V1_GetManifestRequest, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_GetManifestResponse { .init() }

    func get(
        request: Pagewright_Agent_V1_GetBlobsRequest, response: RPCWriter<Pagewright_Agent_V1_BlobPiece>,
        context: ServerContext
    ) async throws {}

    func put(
        request: RPCAsyncSequence<Pagewright_Agent_V1_PutBlobsRequest, any Error>, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_PutBlobsResponse { .init() }
}

/// Runs `service` while `body` runs, then cancels it. Fails a test that takes longer than any that works could.
func running<Value: Sendable>(
    _ services: [@Sendable () async throws -> Void], limit: Duration = .seconds(60),
    _ body: @Sendable @escaping () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        for service in services {
            group.addTask {
                try await service()
                return nil
            }
        }
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TestTookTooLong()
        }
        defer { group.cancelAll() }
        while let value = try await group.next() {
            if let value { return value }
        }
        throw CancellationError()
    }
}

struct TestTookTooLong: Error {}

/// Things that happen, in order, for a test to wait for.
final class Happenings<Element: Sendable>: Sendable {
    private let stream: AsyncStream<Element>
    private let continuation: AsyncStream<Element>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func add(_ element: Element) { continuation.yield(element) }

    /// The next one that `isWanted`; what comes before is passed over.
    func first(where isWanted: @escaping @Sendable (Element) -> Bool = { _ in true }) async throws -> Element {
        try await running([]) { [stream] in
            for await element in stream where isWanted(element) { return element }
            throw CancellationError()
        }
    }
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
