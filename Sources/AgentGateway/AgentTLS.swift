import Coordinator
import Domain
import FleetIdentity
import NIOCore
import NIOSSL
import Synchronization

/// TLS 1.3 towards agents: what the coordinator shows, and which certificates it lets through.
///
/// An agent's certificate that ended within the window of recovery is let through: the calls decide what it may still do.
/// In a rotation those of both authorities are. When the authority's key is another one, the next connection is shown a
/// certificate of that one.
final class AgentTLS: Sendable {
    private struct State {
        var pin: PublicKeyPin
        var context: NIOSSLContext?
        var credential: ServerCredential
    }

    private let authority: CertificateAuthority
    private let names: [String]
    private let clock: any WallClock
    private let state: Mutex<State>

    init(authority: CertificateAuthority, credential: ServerCredential, names: [String], clock: any WallClock) {
        self.authority = authority
        self.names = names
        self.clock = clock
        state = Mutex(State(pin: authority.pin, context: nil, credential: credential))
    }

    /// Throws what would make every connection fail.
    func check() throws { _ = try currentContext() }

    func makeHandler() throws -> NIOSSLServerHandler {
        let context = try currentContext()
        return NIOSSLServerHandler(
            context: context,
            customVerificationCallback: { [authority, clock] presented, promise in
                promise.completeWithTask {
                    do {
                        let trust = try FleetTrust(roots: authority.trustRoots, trustDomain: authority.trustDomain)
                        _ = try await trust.verifyAgent(
                            presented.map { try $0.toDERBytes() }, at: clock.now(), grace: HostMembership.recoveryWindow
                        )
                        return .certificateVerified
                    } catch {
                        return .failed
                    }
                }
            })
    }

    private func currentContext() throws -> NIOSSLContext {
        try state.withLock { state in
            if state.pin != authority.pin {
                state.credential = try authority.issueServerCertificate(names: names, at: clock.now())
                state.pin = authority.pin
                state.context = nil
            }
            if let context = state.context { return context }
            let context = try Self.makeContext(state.credential)
            state.context = context
            return context
        }
    }

    private static func makeContext(_ credential: ServerCredential) throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try credential.certificate.chain.map {
                .certificate(try NIOSSLCertificate(bytes: $0, format: .der))
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(credential.privateKeyPEM.utf8), format: .pem)))
        tls.minimumTLSVersion = .tlsv13
        // A machine that joins has no certificate yet.
        tls.certificateVerification = .optionalVerification
        // The callback above knows whom to trust; the authorities of the system would only take memory.
        tls.trustRoots = .certificates([])
        tls.applicationProtocols = ["h2"]
        return try NIOSSLContext(configuration: tls)
    }
}
