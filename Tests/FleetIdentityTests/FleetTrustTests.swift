import Domain
import FleetIdentity
import Foundation
import TestSupport
import Testing
import X509

struct FleetTrustTests {
    let now = CertificateAuthorityTests.now
    let host = HostID(at: CertificateAuthorityTests.now)

    private func agentChain(_ authority: CertificateAuthority, at time: Timestamp) throws -> [[UInt8]] {
        try authority.issueAgentCertificate(for: host, signingRequest: AgentKey().signingRequest(), at: time).chain
    }

    @Test("An agent of the fleet is known by its certificate")
    func agent() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let trust = try FleetTrust(roots: [authority.root])
            let verified = try await trust.verifyAgent(try agentChain(authority, at: now), at: now)
            #expect(verified.identity.host == host)
            #expect(verified.chain.count == 2)
        }
    }

    @Test("An agent of another fleet is refused")
    func stranger() async throws {
        try await withTemporaryDirectory { path in
            let ours = try CertificateAuthority.loadOrCreate(inDirectory: path + "/ours", at: now)
            let theirs = try CertificateAuthority.loadOrCreate(inDirectory: path + "/theirs", at: now)
            let trust = try FleetTrust(roots: [ours.root])
            let error = await #expect(throws: ServiceError.self) {
                try await trust.verifyAgent(try agentChain(theirs, at: now), at: now)
            }
            #expect(error?.rule == "certificate-chain")
        }
    }

    @Test("The coordinator's certificate does not make its owner an agent, nor the other way round")
    func purposes() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let trust = try FleetTrust(roots: [authority.root])
            let server = try authority.issueServerCertificate(at: now).certificate.chain
            #expect(try await !trust.verifyCoordinator(server, at: now).isEmpty)
            await #expect(throws: ServiceError.self) { try await trust.verifyAgent(server, at: now) }
            let agent = try agentChain(authority, at: now)
            await #expect(throws: ServiceError.self) { try await trust.verifyCoordinator(agent, at: now) }
        }
    }

    @Test("An agent of another trust domain under the same authority is refused")
    func otherDomain() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(
                inDirectory: path, trustDomain: TrustDomain("elsewhere.internal"), at: now)
            let chain = try agentChain(authority, at: now)
            #expect(throws: ServiceError.self) { try AgentCertificate(der: chain[0]) }
            #expect(try AgentCertificate(der: chain[0], trustDomain: TrustDomain("elsewhere.internal")).host == host)
        }
    }

    @Test("An expired agent is refused, but may be let in to renew within its grace")
    func grace() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let trust = try FleetTrust(roots: [authority.root])
            let chain = try agentChain(authority, at: now)
            let later = now + .seconds(5 * 86_400)
            let error = await #expect(throws: ServiceError.self) { try await trust.verifyAgent(chain, at: later) }
            #expect(error?.rule == "certificate-expired")
            #expect(
                try await trust.verifyAgent(chain, at: later, grace: .seconds(14 * 86_400)).identity.host == host)
            await #expect(throws: ServiceError.self) {
                try await trust.verifyAgent(chain, at: now + .seconds(16 * 86_400), grace: .seconds(14 * 86_400))
            }
        }
    }

    @Test("A pin trusts the one authority that it names, when its certificate is shown")
    func pins() async throws {
        try await withTemporaryDirectory { path in
            let ours = try CertificateAuthority.loadOrCreate(inDirectory: path + "/ours", at: now)
            let theirs = try CertificateAuthority.loadOrCreate(inDirectory: path + "/theirs", at: now)
            let server = try ours.issueServerCertificate(at: now).certificate.chain
            let trust = try FleetTrust(pin: ours.pin, presented: server)
            #expect(try await trust.verifyCoordinator(server, at: now).count == 2)
            for (pin, chain) in [(theirs.pin, server), (ours.pin, [server[0]]), (ours.pin, [])] {
                let error = #expect(throws: ServiceError.self) { try FleetTrust(pin: pin, presented: chain) }
                #expect(error?.rule == "certificate-pin")
            }
            // Showing the right root does not help who was not signed by it.
            let impostor = try theirs.issueServerCertificate(at: now).certificate.chain[0]
            let pinned = try FleetTrust(pin: ours.pin, presented: [impostor, ours.root])
            await #expect(throws: ServiceError.self) {
                try await pinned.verifyCoordinator([impostor, ours.root], at: now)
            }
        }
    }

    @Test("No certificates, too many, and bytes that are none are refused")
    func malformed() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let trust = try FleetTrust(roots: [authority.root])
            let leaf = try agentChain(authority, at: now)[0]
            for chain in [[], [[1, 2, 3]], Array(repeating: leaf, count: 9)] {
                await #expect(throws: ServiceError.self) { try await trust.verifyAgent(chain, at: now) }
                await #expect(throws: ServiceError.self) { try await trust.verifyCoordinator(chain, at: now) }
            }
        }
    }
}
