import Artifacts
import Coordinator
import Database
import Domain
import Foundation
import Testing

/// A host that is revoked loses all that it has open, within five seconds.
@Suite struct RevocationTests {
    @Test("A host that is revoked in the middle of an upload and a session loses both, and what it sent is not kept")
    func uploads() async throws {
        try await CoordinatorFixture.run { fixture in
            _ = try await fixture.services.sites.create(
                slug: "bakery", name: "Bakery", template: nil, for: fixture.admin)
            _ = try await fixture.services.edits.submit(
                prompt: "Mark the headline", engine: nil, baseVersion: nil, to: "bakery", for: fixture.admin)
            let script = try #require(
                Bundle.module.url(forResource: "revoked", withExtension: "py", subdirectory: "Fixtures"))
            let peer = try await PythonPeer(script, for: fixture, token: try await fixture.invite())
            _ = try await peer.step("sending")
            let host = try #require(try await fixture.services.hosts.list(for: fixture.admin).first?.host.id)
            let revoked = Date.now.timeIntervalSince1970
            _ = try await fixture.services.hosts.revoke(host, for: fixture.admin)

            let upload = try await peer.step("upload")
            #expect(upload["ended"] as? [String] == ["UNAUTHENTICATED", "host-revoked"])
            let session = try await peer.step("session")
            #expect(session["reason"] as? String == "the host was revoked")
            for end in [upload, session] {
                let seconds = try #require(end["at"] as? Double) - revoked
                // The promise; not a measurement of this machine.
                #expect(seconds < 5)
            }
            let again = try await peer.step("again")
            #expect((again["ended"] as? [String])?.first == "UNAUTHENTICATED")
            // The first file of the upload had come whole.
            let sent = ContentDigest(hashing: String(repeating: "x", count: 1000))
            #expect(try await fixture.blobs.missing(among: [sent]) == [sent])
        }
    }

    @Test("What a host has open here ends when another coordinator revoked it")
    func elsewhere() async throws {
        try await CoordinatorFixture.run { fixture in
            _ = try await fixture.services.sites.create(
                slug: "bakery", name: "Bakery", template: nil, for: fixture.admin)
            _ = try await fixture.services.edits.submit(
                prompt: "Mark the headline", engine: nil, baseVersion: nil, to: "bakery", for: fixture.admin)
            let script = try #require(
                Bundle.module.url(forResource: "revoked", withExtension: "py", subdirectory: "Fixtures"))
            let peer = try await PythonPeer(script, for: fixture, token: try await fixture.invite())
            _ = try await peer.step("sending")
            // As the other one leaves it: a row, and nothing that this one was told.
            try await fixture.database.withTransaction { transaction in
                try await transaction.execute("UPDATE host SET state = 'revoked'")
            }
            let upload = try await peer.step("upload")
            #expect((upload["ended"] as? [String])?.first == "UNAUTHENTICATED")
            let session = try await peer.step("session")
            #expect(session["reason"] as? String == "the host was revoked")
        }
    }
}
