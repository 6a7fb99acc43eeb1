import Artifacts
import Domain
import FleetIdentity
import Foundation
import Testing

@testable import Coordinator

@Suite("The collection of unused blobs, and pictures of pages", .timeLimit(.minutes(3)))
struct PictureCollectionTests {
    typealias Room = CollectionRoom

    @Test(
        "Keeps the pictures of versions that are kept, and deletes those of versions that are gone",
        arguments: Room.Driver.allCases)
    func keepsAndDeletes(driver: Room.Driver) async throws {
        try await Room.with(driver) { room in
            try await room.makeSite("stays", template: 0)
            try await room.makeSite("goes", template: 1)
            let kept = try await room.look(at: "stays", mark: "kept").report()
            let gone = try await room.look(at: "goes", mark: "gone").report()
            let unused = try await room.blobs.put(TestPicture.png(width: 375, height: 900, "nobody's"))
            try await room.deleteSite("goes")
            room.clock.advance(by: .seconds(1))
            _ = try await room.collector.collect(grace: .zero)
            let stored = try await room.stored()
            #expect(stored[kept] != nil && stored[gone] == nil && stored[unused] == nil)
            #expect(try await room.verifier.verify().problems == [])
        }
    }

    @Test("Keeps the pictures that were taken of the version before, as long as that one")
    func versionBefore() async throws {
        try await Room.with { room in
            try await room.makeSite("stays", template: 0)
            try await room.makeSite("goes", template: 1)
            let kept = try await room.look(at: "stays", mark: "kept")
            let gone = try await room.look(at: "goes", mark: "gone")
            for look in [kept, gone] { try await look.report(asBefore: true) }
            try await room.deleteSite("goes")
            room.clock.advance(by: .seconds(1))
            _ = try await room.collector.collect(grace: .zero)
            let stored = try await room.stored()
            #expect(stored[kept.picture.digest] != nil && stored[gone.picture.digest] == nil)
            #expect(try await room.verifier.verify().problems == [])
        }
    }

    @Test("Keeps a picture that is added to a version while it collects")
    func whileCollecting() async throws {
        try await Room.with { room in
            try await room.makeSite("stays", template: 0)
            let look = try await room.look(at: "stays", mark: "late")
            // Something else that goes, so that there is a sweep to come in between.
            try await room.blobs.put(Array("nobody knows me".utf8))
            room.clock.advance(by: .seconds(1))
            room.blobs.beforeNextRemove {
                // The picture is condemned already: its report has to wait, and then to be sent again.
                do {
                    _ = try await look.report()
                    Issue.record("a picture that is being deleted was taken")
                } catch let error as ServiceError {
                    #expect(error.rule == "blobs-swept")
                }
            }
            _ = try await room.collector.collect(grace: .zero)
            await #expect(throws: ServiceError.self) { _ = try await look.report() }
            // The worker sends it once more.
            try await room.blobs.put(look.bytes)
            let digest = try await look.report()
            _ = try await room.collector.collect(grace: .zero)
            #expect(try await room.stored()[digest] != nil)
        }
    }

    @Test("A picture that is missing is found, and who needs it")
    func missing() async throws {
        try await Room.with { room in
            try await room.makeSite("stays", template: 0)
            let digest = try await room.look(at: "stays", mark: "lost").report()
            _ = try await room.blobs.remove(
                [digest], olderThan: .seconds(-60), order: RemovalOrder(issuedAt: SystemClock().now()))
            let problems = try await room.verifier.verify().problems
            #expect(problems.map(\.digest) == [digest] && problems.map(\.kind) == [.missing])
            #expect(problems.first?.needs.map(\.slug) == ["stays"])
        }
    }
}

/// A version that a worker made and is looking at.
struct OpenLook: Sendable {
    let services: CoordinatorServices
    let lease: JobLease
    let host: HostID
    let bytes: [UInt8]
    let picture: PagePicture

    /// Says what was seen: one picture. Returns its digest.
    @discardableResult
    func report(asBefore: Bool = false) async throws -> ContentDigest {
        let checks = PageChecks.Check.Name.allCases.map { PageChecks.Check($0) }
        try await services.pageChecks.report(
            PageChecks(checks: checks, pictures: asBefore ? [] : [picture], before: asBefore ? [picture] : []),
            of: lease, from: host)
        return picture.digest
    }
}

extension CollectionRoom {
    /// Makes a version by an edit, and a picture that nothing refers to yet.
    func look(at slug: String, mark: String) async throws -> OpenLook {
        let invitation = try await services.hosts.invite(roles: ["worker"], for: admin)
        let host = try await services.membership.enrol(
            secret: try JoinToken(invitation.token).secret.text, signingRequest: try AgentKey().signingRequest(),
            hostName: "host-\(mark)", agentVersion: "1"
        ).host
        let edit = try await services.edits.submit(
            prompt: "Change the headline", engine: nil, baseVersion: nil, to: slug, for: admin)
        guard let offer = try await services.ledger.grant(edit.job.job.id, to: host, able: [.builtin]),
            try await services.ledger.accept(offer.lease, from: host)
        else { throw ServiceError(.internalError, "the job could not be leased") }
        let base = try await services.versions.manifest(1, of: slug, for: admin).manifest
        let page = Self.page(0).replacingOccurrences(of: "Hello 0", with: "Hello \(mark)")
        let digest = try await blobs.put(Array(page.utf8))
        let changes = ManifestDelta(
            upserts: [
                Manifest.Entry(path: try SitePath("index.html"), sizeInBytes: Int64(page.utf8.count), digest: digest)
            ], removals: [])
        let verdict = try await services.completions.complete(
            JobCompletion(
                lease: offer.lease, outcome: .succeeded(changes: changes, digest: try changes.applied(to: base).digest),
                summary: "Done", usage: .zero, look: .follows), from: host)
        guard verdict == .applied else { throw ServiceError(.internalError, "the edit was \(verdict)") }
        let bytes = TestPicture.png(width: 375, height: 900, mark)
        return OpenLook(
            services: services, lease: offer.lease, host: host, bytes: bytes,
            picture: PagePicture(
                page: try SitePath("index.html"), kind: .page, width: 375, height: 900, format: .png,
                digest: try await blobs.put(bytes), sizeInBytes: Int64(bytes.count), changes: nil))
    }
}
