import AgentCore
import AgentProtocol
import Domain
import FleetIdentity
import Foundation
import GRPCCore
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

struct EnrollerTests {
    /// Gives certificates to whoever knows the secret, once.
    final class OneTimeEnrolment: Pagewright_Agent_V1_Enrolment.SimpleServiceProtocol {
        let authority = Mutex<CertificateAuthority?>(nil)
        let secretDigest = Mutex<String?>(nil)

        func enrol(
            request: Pagewright_Agent_V1_EnrolRequest, context: ServerContext
        ) async throws -> Pagewright_Agent_V1_CertificateResponse {
            let secret = try JoinToken.Secret(request.token)
            let isRight = secretDigest.withLock { digest in
                defer { digest = nil }
                return digest.map(secret.matches) ?? false
            }
            guard isRight else {
                throw ServiceError(.unauthenticated, "the token was used", rule: "token-used")
            }
            return try reply(HostID(at: TestCoordinator.now()), Array(request.signingRequest))
        }

        func renew(
            request: Pagewright_Agent_V1_RenewRequest, context: ServerContext
        ) async throws -> Pagewright_Agent_V1_CertificateResponse {
            try reply(TestCoordinator.peer(context).host, Array(request.signingRequest))
        }

        private func reply(_ host: HostID, _ request: [UInt8]) throws -> Pagewright_Agent_V1_CertificateResponse {
            let authority = authority.withLock { $0! }
            // One second later than any before, so that a renewal is seen to last longer.
            let issued = try authority.issueAgentCertificate(
                for: host, signingRequest: request, at: TestCoordinator.now() + .seconds(60))
            return CertificateReply(
                host: host, certificateChain: issued.chain, trustRoots: [authority.root],
                notBefore: issued.notBefore, notAfter: issued.notAfter, roles: [.serving]
            ).wire
        }
    }

    private func join(_ coordinator: TestCoordinator, _ token: JoinToken, name: String = "identity") async throws
        -> AgentIdentity
    {
        try await Enroller(
            store: AgentIdentityStore(directory: coordinator.directory + "/" + name), pool: TestCoordinator.pool,
            clock: HostClock()
        ).join(coordinator: coordinator.address, token: token, hostName: "web-1", agentVersion: "1.0")
    }

    @Test("A token makes a host a member, once")
    func joins() async throws {
        let enrolment = OneTimeEnrolment()
        try await TestCoordinator.run(enrolment: enrolment) { coordinator in
            enrolment.authority.withLock { $0 = coordinator.authority }
            let token = JoinToken(pin: coordinator.authority.pin)
            enrolment.secretDigest.withLock { $0 = token.secret.digest }
            let identity = try await join(coordinator, token)
            #expect(identity.roles == [.serving])
            #expect(identity.coordinator == coordinator.address)
            let saved = try AgentIdentityStore(directory: coordinator.directory + "/identity").load()
            #expect(saved.host == identity.host)

            let again = await #expect(throws: ServiceError.self) { try await join(coordinator, token) }
            #expect(again?.rule == "already-joined")
            let used = await #expect(throws: ServiceError.self) { try await join(coordinator, token, name: "other") }
            #expect(used?.rule == "token-used")
            #expect(used?.nextStep?.contains("pagewright host invite") == true)
            #expect(!FileManager.default.fileExists(atPath: coordinator.directory + "/other/current"))
        }
    }

    @Test("A host whose clock is two days behind does not send its token, and is told to set the clock")
    func clockBehind() async throws {
        struct Behind: WallClock {
            func now() -> Timestamp { HostClock().now() + .seconds(-2 * 86_400) }
        }
        let enrolment = OneTimeEnrolment()
        try await TestCoordinator.run(enrolment: enrolment) { coordinator in
            enrolment.authority.withLock { $0 = coordinator.authority }
            let token = JoinToken(pin: coordinator.authority.pin)
            enrolment.secretDigest.withLock { $0 = token.secret.digest }
            let store = AgentIdentityStore(directory: coordinator.directory + "/identity")
            let enroller = Enroller(store: store, pool: TestCoordinator.pool, clock: Behind())
            let error = await #expect(throws: ServiceError.self) {
                try await enroller.join(
                    coordinator: coordinator.address, token: token, hostName: "web-1", agentVersion: "1.0")
            }
            #expect(error?.rule == "certificate-early")
            #expect(error?.nextStep?.contains("chrony") == true)
            #expect(enrolment.secretDigest.withLock { $0 } == token.secret.digest)
        }
    }

    @Test("A coordinator with another key than the token's never sees the secret")
    func wrongPin() async throws {
        let enrolment = OneTimeEnrolment()
        try await TestCoordinator.run(enrolment: enrolment) { coordinator in
            enrolment.authority.withLock { $0 = coordinator.authority }
            let token = JoinToken(pin: PublicKeyPin(String(repeating: "00", count: 32))!)
            enrolment.secretDigest.withLock { $0 = token.secret.digest }
            let error = await #expect(throws: ServiceError.self) { try await join(coordinator, token) }
            #expect(error?.rule == "certificate-pin")
            #expect(error?.nextStep != nil)
            #expect(enrolment.secretDigest.withLock { $0 } == token.secret.digest)
        }
    }

    @Test("A server that shows the right authority but was not signed by it is refused")
    func impostor() async throws {
        let enrolment = OneTimeEnrolment()
        try await TestCoordinator.run(enrolment: enrolment) { authority in
            try withOtherAuthority { other in
                let stolen = try other.issueServerCertificate(at: TestCoordinator.now())
                return ServerCredential(
                    certificate: IssuedCertificate(
                        chain: [stolen.certificate.chain[0], authority.root], serial: stolen.certificate.serial,
                        notBefore: stolen.certificate.notBefore, notAfter: stolen.certificate.notAfter),
                    privateKeyPEM: stolen.privateKeyPEM)
            }
        } _: { coordinator in
            let token = JoinToken(pin: coordinator.authority.pin)
            enrolment.secretDigest.withLock { $0 = token.secret.digest }
            let error = await #expect(throws: ServiceError.self) { try await join(coordinator, token) }
            #expect(error?.rule == "certificate-chain")
            #expect(enrolment.secretDigest.withLock { $0 } != nil)
        }
    }

    @Test("A coordinator that nobody reaches is said to be out of reach")
    func unreachable() async throws {
        try await withTemporaryDirectory { path in
            let error = await #expect(throws: ServiceError.self) {
                try await Enroller(
                    store: AgentIdentityStore(directory: path), pool: TestCoordinator.pool, clock: HostClock()
                ).join(
                    coordinator: "127.0.0.1:1",
                    token: JoinToken(pin: PublicKeyPin(String(repeating: "00", count: 32))!),
                    hostName: "", agentVersion: "")
            }
            #expect(error?.rule == "coordinator-unreachable")
            #expect(error?.nextStep != nil)
        }
    }

    @Test("A folder that cannot be written is found before the token is spent")
    func unwritable() async throws {
        try await withTemporaryDirectory { path in
            try Data().write(to: URL(filePath: path + "/file"))
            await #expect(throws: ServiceError.self) {
                try await Enroller(
                    store: AgentIdentityStore(directory: path + "/file/identity"), pool: TestCoordinator.pool,
                    clock: HostClock()
                ).join(
                    coordinator: "127.0.0.1:1",
                    token: JoinToken(pin: PublicKeyPin(String(repeating: "00", count: 32))!),
                    hostName: "", agentVersion: "")
            }
        }
    }

    @Test("A renewal saves a new key and certificate of the same host, and puts them to use")
    func renews() async throws {
        let enrolment = OneTimeEnrolment()
        try await TestCoordinator.run(enrolment: enrolment) { coordinator in
            enrolment.authority.withLock { $0 = coordinator.authority }
            let (identity, store) = try coordinator.makeIdentity()
            let old = identity.current
            let renewer = CertificateRenewer(
                identity: identity, store: store,
                connection: try CoordinatorConnection(identity: identity, clock: HostClock()),
                pool: TestCoordinator.pool, clock: HostClock(), logger: .silent)
            try await renewer.renew()
            #expect(identity.current.host == old.host)
            #expect(identity.current.certificate.serial != old.certificate.serial)
            #expect(identity.current.key.pem != old.key.pem)
            #expect(try store.load().certificate.serial == identity.current.certificate.serial)
        }
    }

    @Test("The renewer renews by itself when a third of the certificate's life is over")
    func renewsInTime() async throws {
        let enrolment = OneTimeEnrolment()
        try await TestCoordinator.run(enrolment: enrolment) { coordinator in
            enrolment.authority.withLock { $0 = coordinator.authority }
            let (identity, store) = try coordinator.makeIdentity()
            let replacements = identity.replacements()
            // A clock that shows ten hours from now: more than a third of 24 is over.
            let renewer = CertificateRenewer(
                identity: identity, store: store,
                connection: try CoordinatorConnection(identity: identity, clock: HostClock()),
                pool: TestCoordinator.pool, clock: LateClock(), logger: .silent)
            try await running([renewer.run]) {
                for await _ in replacements { return }
            }
        }
    }

    @Test("A call that is cancelled ends, at whatever moment", arguments: 0..<40)
    func cancelled(milliseconds: Int) async throws {
        let enrolment = OneTimeEnrolment()
        try await TestCoordinator.run(enrolment: enrolment) { coordinator in
            enrolment.authority.withLock { $0 = coordinator.authority }
            let (identity, store) = try coordinator.makeIdentity()
            let renewer = CertificateRenewer(
                identity: identity, store: store,
                connection: try CoordinatorConnection(identity: identity, clock: HostClock()),
                pool: TestCoordinator.pool, clock: HostClock(), logger: .silent)
            try await running([]) {
                let call = Task { try await renewer.renew() }
                try await Task.sleep(for: .milliseconds(milliseconds))
                call.cancel()
                _ = await call.result
            }
        }
    }

    private struct LateClock: WallClock {
        func now() -> Timestamp { HostClock().now() + .seconds(10 * 3600) }
    }
}

private func withOtherAuthority<Value>(_ body: (CertificateAuthority) throws -> Value) throws -> Value {
    let path = FileManager.default.temporaryDirectory.appending(path: "other-ca-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: path) }
    return try body(CertificateAuthority.loadOrCreate(inDirectory: path.path, at: TestCoordinator.now()))
}
