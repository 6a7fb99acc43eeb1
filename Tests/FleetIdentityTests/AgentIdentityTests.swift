import Domain
import FleetIdentity
import Foundation
import TestSupport
import Testing

struct AgentIdentityTests {
    let now = CertificateAuthorityTests.now
    let host = HostID(at: CertificateAuthorityTests.now)

    private func makeIdentity(_ authority: CertificateAuthority, host: HostID? = nil) throws -> AgentIdentity {
        let key = AgentKey()
        let issued = try authority.issueAgentCertificate(
            for: host ?? self.host, signingRequest: key.signingRequest(), at: now)
        return try AgentIdentity(
            key: key, certificateChain: issued.chain, trustRoots: [authority.root], coordinator: "10.0.0.1:8443",
            hostName: "web-1", roles: [.worker, .serving])
    }

    @Test("What is saved is what is loaded, and the key is for the owner only")
    func roundTrip() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path + "/ca", at: now)
            let store = AgentIdentityStore(directory: path + "/identity")
            #expect(!store.exists)
            let identity = try makeIdentity(authority)
            try store.save(identity)
            #expect(store.exists)
            let loaded = try store.load()
            #expect(loaded.host == host)
            #expect(loaded.key.pem == identity.key.pem)
            #expect(loaded.certificateChain == identity.certificateChain)
            #expect(loaded.trustRoots == [authority.root])
            #expect(loaded.coordinator == "10.0.0.1:8443")
            #expect(loaded.hostName == "web-1")
            #expect(loaded.roles == [.worker, .serving])
            let rights = try FileManager.default.attributesOfItem(
                atPath: path + "/identity/current/agent.key")[.posixPermissions]
            #expect(rights as? Int == 0o600)
        }
    }

    @Test("A host that never joined is told how to")
    func never() async throws {
        try await withTemporaryDirectory { path in
            let error = #expect(throws: ServiceError.self) { try AgentIdentityStore(directory: path).load() }
            #expect(error?.nextStep?.contains("pagewright-agent join") == true)
        }
    }

    @Test("A renewal replaces the identity, and the one before stays until the next")
    func renewals() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path + "/ca", at: now)
            let store = AgentIdentityStore(directory: path + "/identity")
            for _ in 0..<5 {
                let identity = try makeIdentity(authority)
                try store.save(identity)
                #expect(try store.load().certificate.serial == identity.certificate.serial)
            }
            let folders = try FileManager.default.contentsOfDirectory(atPath: path + "/identity")
                .filter { $0.count == 6 }
            #expect(folders.sorted() == ["000004", "000005"])
        }
    }

    @Test("A renewal that a crash interrupted leaves the identity that was in use", arguments: [0, 1, 2, 3])
    func interrupted(files: Int) async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path + "/ca", at: now)
            let store = AgentIdentityStore(directory: path + "/identity")
            let identity = try makeIdentity(authority)
            try store.save(identity)
            // What a crash leaves: some of the files of the next folder, and the link not yet moved.
            try FileManager.default.createDirectory(
                atPath: path + "/identity/000002", withIntermediateDirectories: false)
            for name in ["agent.key", "certificate.pem", "roots.pem"].prefix(files) {
                try "half".write(toFile: path + "/identity/000002/\(name)", atomically: false, encoding: .utf8)
            }
            #expect(try store.load().certificate.serial == identity.certificate.serial)
            let newer = try makeIdentity(authority)
            try store.save(newer)
            #expect(try store.load().certificate.serial == newer.certificate.serial)
        }
    }

    @Test("When the identity in use is damaged, the one before is used")
    func damaged() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path + "/ca", at: now)
            let store = AgentIdentityStore(directory: path + "/identity")
            let first = try makeIdentity(authority)
            try store.save(first)
            try store.save(try makeIdentity(authority))
            try Data().write(to: URL(filePath: path + "/identity/000002/certificate.pem"))
            #expect(try store.load().certificate.serial == first.certificate.serial)
        }
    }

    @Test("A certificate for another key, and a renewal for another host, are refused")
    func mismatches() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let identity = try makeIdentity(authority)
            #expect(throws: ServiceError.self) {
                try AgentIdentity(
                    key: AgentKey(), certificateChain: identity.certificateChain, trustRoots: [authority.root],
                    coordinator: "a:1", hostName: "", roles: [])
            }
            let other = try makeIdentity(authority, host: HostID(at: now))
            #expect(throws: ServiceError.self) {
                try identity.renewed(
                    key: other.key, certificateChain: other.certificateChain, trustRoots: other.trustRoots, roles: [])
            }
        }
    }
}
