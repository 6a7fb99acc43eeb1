import Domain
import FleetIdentity
import Foundation
import TestSupport
import Testing

/// One key of the authority after the other.
@Suite struct AuthorityRotationTests {
    private static let now = CertificateAuthorityTests.now
    private static let host = HostID(at: now)

    private static func issue(_ authority: CertificateAuthority) throws -> IssuedCertificate {
        try authority.issueAgentCertificate(for: host, signingRequest: AgentKey().signingRequest(), at: now)
    }

    private static func isKnown(_ certificate: IssuedCertificate, to roots: [[UInt8]]) async -> Bool {
        (try? await FleetTrust(roots: roots).verifyAgent(certificate.chain, at: now)) != nil
    }

    @Test("Until the end agents of both keys are known, and the coordinator is known to agents that were away")
    func wholeRotation() async throws {
        try await withTemporaryDirectory { folder in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: folder, at: Self.now)
            let oldRoot = authority.root
            let before = try Self.issue(authority)

            try authority.prepareRotation(at: Self.now)
            #expect(authority.rotation.step == .prepared)
            #expect(authority.trustRoots.count == 2)
            #expect(try Self.issue(authority).issuer == before.issuer)

            try authority.switchRotation()
            let after = try Self.issue(authority)
            #expect(after.issuer == authority.rotation.next?.text)
            #expect(await Self.isKnown(before, to: authority.trustRoots))
            #expect(await Self.isKnown(after, to: authority.trustRoots))
            // An agent that has been away since before the rotation trusts the old key only.
            let shown = try authority.issueServerCertificate(at: Self.now).certificate.chain
            _ = try await FleetTrust(roots: [oldRoot]).verifyCoordinator(shown, at: Self.now)

            try authority.retireRotation()
            #expect(authority.rotation.step == .none)
            #expect(authority.pin.text == after.issuer)
            #expect(await Self.isKnown(after, to: authority.trustRoots))
            #expect(await !Self.isKnown(before, to: authority.trustRoots))
            #expect(authority.root != oldRoot)
        }
    }

    @Test("A program that runs sees each step that another one made")
    func reload() async throws {
        try await withTemporaryDirectory { folder in
            let running = try CertificateAuthority.loadOrCreate(inDirectory: folder, at: Self.now)
            let command = try CertificateAuthority.loadOrCreate(inDirectory: folder, at: Self.now)
            #expect(try !running.reload())
            try command.prepareRotation(at: Self.now)
            #expect(try running.reload())
            try command.switchRotation()
            #expect(try running.reload())
            #expect(running.issuerPin == command.issuerPin && running.issuerPin != running.pin)
        }
    }

    @Test("Steps out of their order are refused, and repeated ones change nothing")
    func order() async throws {
        try await withTemporaryDirectory { folder in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: folder, at: Self.now)
            #expect(throws: ServiceError.self) { try authority.switchRotation() }
            #expect(throws: ServiceError.self) { try authority.retireRotation() }
            try authority.prepareRotation(at: Self.now)
            let next = authority.rotation.next
            try authority.prepareRotation(at: Self.now)
            #expect(authority.rotation.next == next)
            #expect(throws: ServiceError.self) { try authority.retireRotation() }
        }
    }

    @Test("A retirement that was cut off between its files is carried to its end")
    func cutOff() async throws {
        try await withTemporaryDirectory { folder in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: folder, at: Self.now)
            try authority.prepareRotation(at: Self.now)
            try authority.switchRotation()
            let next = try #require(authority.rotation.next)
            // The key was written, the certificate was not.
            let key = try Data(contentsOf: URL(filePath: folder + "/next.key"))
            try key.write(to: URL(filePath: folder + "/ca.key"))
            let restarted = try CertificateAuthority.loadOrCreate(inDirectory: folder, at: Self.now)
            #expect(restarted.pin == next)
            try restarted.retireRotation()
            #expect(try CertificateAuthority.loadOrCreate(inDirectory: folder, at: Self.now).pin == next)
            #expect(!FileManager.default.fileExists(atPath: folder + "/next.key"))
        }
    }

    @Test("A machine that joins in a rotation gets a certificate of the authority that its token names")
    func joining() async throws {
        try await withTemporaryDirectory { folder in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: folder, at: Self.now)
            try authority.prepareRotation(at: Self.now)
            try authority.switchRotation()
            let joined = try authority.issueAgentCertificate(
                for: Self.host, signingRequest: AgentKey().signingRequest(), isJoining: true, at: Self.now)
            #expect(joined.issuer == authority.pin.text)
        }
    }
}
