import Domain
import FleetIdentity
import NIOCore
import NIOSSL
import Synchronization

/// TLS to the coordinator: version 1.3 only, the certificate checked against the fleet's own authority, and the reason
/// kept when it is refused, because gRPC only says that the connection failed.
final class CoordinatorTLS: Sendable {
    /// Says whether the presented chain (DER, leaf first) is the coordinator's.
    typealias Verification = @Sendable (_ presented: [[UInt8]]) async throws -> Void

    /// What the agent shows; nothing while it joins.
    struct Credential {
        let chain: [[UInt8]]
        let keyPEM: String
    }

    private let credential: @Sendable () -> Credential?
    private let verification: Verification
    private let failure = Mutex<ServiceError?>(nil)

    /// `credential` is asked for each connection, so that a new certificate is used from the next one on.
    init(credential: @escaping @Sendable () -> Credential?, verification: @escaping Verification) {
        self.credential = credential
        self.verification = verification
    }

    /// Why the last connection failed, when TLS was the reason.
    var lastFailure: ServiceError? { failure.withLock { $0 } }

    /// Puts TLS in front of what is in the pipeline. Call it on the event loop, before the channel is active.
    func install(in channel: any Channel) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["h2"]
        // The verification below knows whom to trust. Reading the authorities of the system would take 10 ms and 2 MB.
        configuration.trustRoots = .certificates([])
        if let credential = credential() {
            configuration.certificateChain = try credential.chain.map {
                .certificate(try NIOSSLCertificate(bytes: $0, format: .der))
            }
            configuration.privateKey = .privateKey(
                try NIOSSLPrivateKey(bytes: Array(credential.keyPEM.utf8), format: .pem))
        }
        let handler = try NIOSSLClientHandler(
            context: NIOSSLContext(configuration: configuration),
            serverHostname: CertificateAuthority.coordinatorName,
            customVerificationCallback: { [verification, self] presented, promise in
                promise.completeWithTask {
                    do {
                        try await verification(presented.map { try $0.toDERBytes() })
                        self.failure.withLock { $0 = nil }
                        return .certificateVerified
                    } catch {
                        self.note(error)
                        return .failed
                    }
                }
            })
        try channel.pipeline.syncOperations.addHandler(FailureObserver(tls: self), position: .first)
        try channel.pipeline.syncOperations.addHandler(handler, position: .first)
    }

    private func note(_ error: any Error) {
        let reason =
            error as? ServiceError
            ?? ServiceError(.unauthenticated, "the coordinator's certificate cannot be read", cause: error)
        failure.withLock { $0 = reason }
    }

    /// Keeps errors of TLS itself, such as an alert with which the coordinator refused us. That the connection ended without
    /// a word is none: so it is when a coordinator is killed.
    func noteTransportError(_ error: any Error) {
        guard error is NIOSSLError || error is BoringSSLError, (error as? NIOSSLError) != .uncleanShutdown else {
            return
        }
        failure.withLock { known in
            // Our own refusal explains more than the alert that it causes.
            known =
                known
                ?? ServiceError(
                    .unauthenticated, "the coordinator and this host did not agree on a secure connection",
                    rule: "tls-handshake",
                    nextStep: "Check that the address is the one for agents, and that this host was not revoked.",
                    cause: error)
        }
    }

    private final class FailureObserver: ChannelInboundHandler {
        typealias InboundIn = NIOAny
        private let tls: CoordinatorTLS

        init(tls: CoordinatorTLS) { self.tls = tls }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            tls.noteTransportError(error)
            context.fireErrorCaught(error)
        }
    }
}
