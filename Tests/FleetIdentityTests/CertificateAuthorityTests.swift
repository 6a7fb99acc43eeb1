import Crypto
import Domain
import FleetIdentity
import Foundation
import TestSupport
import Testing
import X509

struct CertificateAuthorityTests {
    static let now = Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970) * 1000)
    let now = Self.now
    let host = HostID(at: Self.now)

    @Test("openssl accepts an agent's certificate for a client, and not for a server")
    func opensslAcceptsAgent() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path + "/ca", at: now)
            let issued = try authority.issueAgentCertificate(
                for: host, signingRequest: AgentKey().signingRequest(), at: now)
            let leaf = path + "/leaf.pem"
            try OpenSSL.pem(issued.chain[0]).write(toFile: leaf, atomically: true, encoding: .utf8)
            let client = try OpenSSL.run(
                "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", path + "/ca/ca.pem", leaf)
            #expect(client.status == 0, "\(client.output)")
            let server = try OpenSSL.run("verify", "-purpose", "sslserver", "-CAfile", path + "/ca/ca.pem", leaf)
            #expect(server.status != 0)
            let text = try OpenSSL.run(
                "x509", "-noout", "-serial", "-ext", "subjectAltName,extendedKeyUsage", "-in", leaf)
            #expect(text.output.contains("URI:spiffe://pagewright.internal/agent/\(host)"))
            #expect(text.output.lowercased().contains("serial=\(issued.serial)"))
        }
    }

    @Test("openssl accepts the coordinator's certificate under each of its names")
    func opensslAcceptsServer() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path + "/ca", at: now)
            let credential = try authority.issueServerCertificate(
                names: ["127.0.0.1", "::1", "fleet.example.org"], at: now)
            let leaf = path + "/leaf.pem"
            try OpenSSL.pem(credential.certificate.chain[0]).write(toFile: leaf, atomically: true, encoding: .utf8)
            for check in [
                ["-verify_hostname", CertificateAuthority.coordinatorName], ["-verify_hostname", "fleet.example.org"],
                ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"],
            ] {
                let result = try OpenSSL.run(
                    "verify", "-x509_strict", "-purpose", "sslserver", check[0], check[1], "-CAfile",
                    path + "/ca/ca.pem", leaf)
                #expect(result.status == 0, "\(check): \(result.output)")
            }
        }
    }

    @Test("A certificate begins in the past and ends when it is told to")
    func validity() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let issued = try authority.issueAgentCertificate(
                for: host, signingRequest: AgentKey().signingRequest(), at: now)
            #expect(issued.notBefore < now)
            #expect(issued.notAfter == now + .seconds(86_400))
            let parsed = try AgentCertificate(der: issued.chain[0])
            #expect(parsed.host == host)
            #expect(parsed.serial == issued.serial)
            #expect(parsed.notAfter == issued.notAfter)
        }
    }

    @Test("Loading gives the authority that was made, and its key is for the owner only")
    func loading() async throws {
        try await withTemporaryDirectory { path in
            let made = try CertificateAuthority.loadOrCreate(inDirectory: path + "/a/b", at: now)
            let loaded = try CertificateAuthority.loadOrCreate(inDirectory: path + "/a/b", at: now + .seconds(60))
            #expect(made.root == loaded.root)
            #expect(made.pin == loaded.pin)
            let rights = try FileManager.default.attributesOfItem(atPath: path + "/a/b/ca.key")[.posixPermissions]
            #expect(rights as? Int == 0o600)
        }
    }

    @Test("Programs that make the authority at the same time get the same one")
    func rivals() async throws {
        try await withTemporaryDirectory { path in
            let roots = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 {
                    group.addTask { try CertificateAuthority.loadOrCreate(inDirectory: path, at: Self.now).root }
                }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(roots.count == 1)
        }
    }

    @Test("A crash after the key was written is made good by the next start")
    func halfMade() async throws {
        try await withTemporaryDirectory { path in
            let made = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            try FileManager.default.removeItem(atPath: path + "/ca.pem")
            let again = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            #expect(again.pin == made.pin)
        }
    }

    @Test("An authority without its key is not replaced")
    func lostKey() async throws {
        try await withTemporaryDirectory { path in
            _ = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            try FileManager.default.removeItem(atPath: path + "/ca.key")
            let error = #expect(throws: ServiceError.self) {
                try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            }
            #expect(error?.code == .failedPrecondition)
            #expect(error?.nextStep != nil)
        }
    }

    @Test("The key of another authority is refused")
    func mixedUp() async throws {
        try await withTemporaryDirectory { path in
            _ = try CertificateAuthority.loadOrCreate(inDirectory: path + "/a", at: now)
            _ = try CertificateAuthority.loadOrCreate(inDirectory: path + "/b", at: now)
            try FileManager.default.removeItem(atPath: path + "/a/ca.key")
            try FileManager.default.copyItem(atPath: path + "/b/ca.key", toPath: path + "/a/ca.key")
            #expect(throws: ServiceError.self) {
                try CertificateAuthority.loadOrCreate(inDirectory: path + "/a", at: now)
            }
        }
    }

    // MARK: Signing requests

    @Test("A request that asks for another name gets only its own")
    func extraNames() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let other = HostID(at: now)
            let key = P256.Signing.PrivateKey()
            let wishes = try Certificate.Extensions {
                SubjectAlternativeNames([
                    .uniformResourceIdentifier("spiffe://pagewright.internal/agent/\(other)"),
                    .dnsName(CertificateAuthority.coordinatorName),
                ])
                try ExtendedKeyUsage([.serverAuth])
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
            }
            let request = try CertificateSigningRequest(
                version: .v1, subject: DistinguishedName { CommonName("root") }, privateKey: .init(key),
                attributes: .init([try .init(ExtensionRequest(extensions: wishes))]))
            let issued = try authority.issueAgentCertificate(
                for: host, signingRequest: try request.serializeAsPEM().derBytes, at: now)
            #expect(try AgentCertificate(der: issued.chain[0]).host == host)
            let certificate = try Certificate(derEncoded: issued.chain[0])
            #expect(try certificate.extensions.subjectAlternativeNames?.count == 1)
            #expect(try certificate.extensions.extendedKeyUsage.map { Array($0) } == [.clientAuth])
            #expect(try certificate.extensions.basicConstraints == .notCertificateAuthority)
        }
    }

    @Test("A request signed by another key is refused")
    func wrongSignature() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let honest = try CertificateSigningRequest(
                version: .v1, subject: DistinguishedName {}, privateKey: .init(P256.Signing.PrivateKey()),
                attributes: .init())
            let forged = try CertificateSigningRequest(
                version: .v1, subject: DistinguishedName {},
                publicKey: .init(P256.Signing.PrivateKey().publicKey), attributes: .init(),
                signatureAlgorithm: honest.signatureAlgorithm, signature: honest.signature)
            let error = #expect(throws: ServiceError.self) {
                try authority.issueAgentCertificate(
                    for: host, signingRequest: try forged.serializeAsPEM().derBytes, at: now)
            }
            #expect(error?.rule == "signing-request-signature")
            #expect(error?.field == "signing_request")
        }
    }

    @Test("Bytes that are no request, too many bytes, and other kinds of keys are refused")
    func malformedRequests() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let other = try CertificateSigningRequest(
                version: .v1, subject: DistinguishedName {}, privateKey: .init(P384.Signing.PrivateKey()),
                attributes: .init())
            for (bytes, rule) in [
                ([], "signing-request-format"), (Array("hello".utf8), "signing-request-format"),
                ([UInt8](repeating: 0x30, count: 20_000), "signing-request-size"),
                (try other.serializeAsPEM().derBytes, "signing-request-key"),
            ] {
                let error = #expect(throws: ServiceError.self) {
                    try authority.issueAgentCertificate(for: host, signingRequest: bytes, at: now)
                }
                #expect(error?.rule == rule)
            }
        }
    }

    @Test("A request with any byte changed is refused or gives a proper certificate, and nothing crashes")
    func mutatedRequests() async throws {
        try await withTemporaryDirectory { path in
            let authority = try CertificateAuthority.loadOrCreate(inDirectory: path, at: now)
            let request = try AgentKey().signingRequest()
            for index in request.indices {
                var changed = request
                changed[index] ^= 0x41
                do {
                    let issued = try authority.issueAgentCertificate(for: host, signingRequest: changed, at: now)
                    #expect(try AgentCertificate(der: issued.chain[0]).host == host)
                } catch is ServiceError {}
            }
        }
    }
}
