import Domain
import FleetIdentity
import Foundation
import TestSupport
import Testing

struct VersionSignerTests {
    @Test("A signature holds for its statement, its key, and nothing else")
    func signing() async throws {
        try await withTemporaryDirectory { path in
            let signer = try VersionSigner.loadOrCreate(inDirectory: path + "/a")
            let other = try VersionSigner.loadOrCreate(inDirectory: path + "/b")
            let site = SiteID(at: CertificateAuthorityTests.now)
            let digest = ContentDigest(String(repeating: "ab", count: 32))!
            let statement = Version.statement(site: site, number: .first, digest: digest)
            let signature = try signer.sign(statement)
            #expect(signature.count == 64)
            let keys = [other.publicKey, [], [1, 2, 3], signer.publicKey]
            #expect(VersionSigner.verify(statement, signature: signature, keys: keys))
            #expect(!VersionSigner.verify(statement, signature: signature, keys: [other.publicKey]))
            #expect(!VersionSigner.verify(statement, signature: signature, keys: []))
            #expect(!VersionSigner.verify(statement, signature: [], keys: keys))
            let next = Version.statement(site: site, number: VersionNumber.first.next, digest: digest)
            #expect(!VersionSigner.verify(next, signature: signature, keys: keys))
        }
    }

    @Test("The key is made once and loaded afterwards")
    func loading() async throws {
        try await withTemporaryDirectory { path in
            let made = try VersionSigner.loadOrCreate(inDirectory: path)
            #expect(try VersionSigner.loadOrCreate(inDirectory: path).publicKey == made.publicKey)
            let rights = try FileManager.default.attributesOfItem(atPath: path + "/version.key")[.posixPermissions]
            #expect(rights as? Int == 0o600)
            try "nonsense".write(toFile: path + "/version.key", atomically: true, encoding: .utf8)
            #expect(throws: ServiceError.self) { try VersionSigner.loadOrCreate(inDirectory: path) }
        }
    }
}
