import Artifacts
import Domain
import Foundation
import Testing

@testable import Coordinator

/// Pictures of any two versions side by side, also of those that no worker made.
@Suite(.timeLimit(.minutes(3))) struct VersionScreensTests {
    private static let checks = PageChecks.Check.Name.allCases.map { PageChecks.Check($0) }

    private static func page(_ headline: String) -> String {
        Installation.page.replacingOccurrences(of: "Hello", with: headline)
    }

    private static func both(
        _ mark: String, _ system: Installation, changes: [PagePicture.Box]? = nil
    ) async throws -> [PagePicture] {
        var pictures: [PagePicture] = []
        for width in PagePicture.widths {
            pictures.append(try await system.picture(mark, width: width, changes: changes))
        }
        return pictures
    }

    @Test("The first edit of a template's version has a picture on each side, and none is missing")
    func before() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let box = PagePicture.Box(x: 1, y: 2, width: 3, height: 4)
            let old = try await Self.both("old", system)
            let new = try await Self.both("new", system, changes: [box])
            let service = system.services.pageChecks
            try await service.report(
                PageChecks(checks: Self.checks, pictures: new, before: old), of: lease, from: host)
            let screens = try await service.screens(from: 1, to: version, of: "shop", for: system.admin)
            #expect(screens.pairs.map(\.width) == PagePicture.widths)
            #expect(screens.pairs.map(\.before?.picture.digest) == old.map(\.digest))
            #expect(screens.pairs.map(\.after?.picture.digest) == new.map(\.digest))
            #expect(screens.pairs.allSatisfy { $0.changes == [box] && !$0.isSame })
            #expect(screens.absentBefore.isEmpty && screens.absentAfter.isEmpty)
            // They are pictures of version 1, at its own address.
            let found = try await service.picture(old[0].digest.text, version: 1, of: "shop", for: system.admin)
            #expect(found.picture == old[0])
            let first = try await service.find(1, of: "shop", for: system.admin)
            #expect(first.checks == nil && first.pictures.map(\.takenOf.rawValue) == [1, 1])
        }
    }

    @Test("A version that has pictures keeps them, whatever the next one's worker says")
    func keptBefore() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let service = system.services.pageChecks
            let (first, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let own = try await Self.both("own", system)
            try await service.report(PageChecks(checks: Self.checks, pictures: own), of: first, from: host)
            let (second, _) = try await system.edited(site, by: host, page: Self.page("Cake"))
            let other = try await Self.both("other", system)
            try await service.report(PageChecks(checks: Self.checks, before: other), of: second, from: host)
            let view = try await service.find(version, of: "shop", for: system.admin)
            #expect(view.pictures.map(\.picture.digest) == own.map(\.digest))
        }
    }

    @Test(
        "A page that only one of the versions has is said to be; one that looks the same is shown with both or not at all"
    )
    func onlyOne() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let service = system.services.pageChecks
            let lease = try await system.lease(try await system.edit(site), to: host)
            let base = try await system.services.versions.manifest(1, of: "shop", for: system.admin).manifest
            let page = Self.page("About us")
            let entry = Manifest.Entry(
                path: try SitePath("about.html"), sizeInBytes: Int64(page.utf8.count),
                digest: try await system.blobs.put(Array(page.utf8)))
            let changes = ManifestDelta(upserts: [entry], removals: [])
            _ = try await system.services.completions.complete(
                JobCompletion(
                    lease: lease, outcome: .succeeded(changes: changes, digest: try changes.applied(to: base).digest),
                    summary: "Done", usage: .zero, look: .follows), from: host)
            let about = try await system.picture("b", of: "about.html")
            // The start page did not change; that there is one picture of it is no reason to miss the other.
            let stray = try await system.picture("c", of: "index.html")
            try await service.report(PageChecks(checks: Self.checks, pictures: [about, stray]), of: lease, from: host)
            let screens = try await service.screens(from: 1, to: 2, of: "shop", for: system.admin)
            #expect(screens.pairs.map(\.page.text) == ["about.html", "about.html"])
            #expect(screens.pairs.allSatisfy { !$0.isInBefore && $0.isInAfter && $0.before == nil })
            #expect(screens.absentBefore.isEmpty)
        }
    }

    @Test("Pictures of a version before are refused when it has no such page, or they are marked")
    func liesBefore() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (lease, _) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let elsewhere = try await system.picture("a", of: "gone.html")
            let marked = try await system.picture("a", changes: [])
            let small = try await system.picture("a", kind: .thumbnail, width: 480)
            for lie in [elsewhere, marked, small] {
                await #expect(throws: ServiceError.self) {
                    try await system.services.pageChecks.report(
                        PageChecks(checks: Self.checks, before: [lie]), of: lease, from: host)
                }
            }
        }
    }

    @Test("A page that did not change since another version is shown by that one's picture")
    func unchanged() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let service = system.services.pageChecks
            // Nobody reports on version 2 and 3; version 4 is as version 2 was.
            _ = try await system.edited(site, by: host, page: Self.page("Bread"))
            _ = try await system.edited(site, by: host, page: Self.page("Cake"))
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let old = try await Self.both("cake", system)
            let new = try await Self.both("bread", system, changes: [])
            try await service.report(
                PageChecks(checks: Self.checks, pictures: new, before: old), of: lease, from: host)
            let screens = try await service.screens(from: 2, to: 3, of: "shop", for: system.admin)
            #expect(screens.pairs.map(\.before?.picture.digest) == new.map(\.digest))
            #expect(screens.pairs.map(\.before?.holder.rawValue) == [version, version])
            #expect(screens.pairs.map(\.after?.holder.rawValue) == [3, 3])
            #expect(screens.absentBefore.isEmpty && screens.absentAfter.isEmpty)
            let none = try await service.screens(from: 1, to: 2, of: "shop", for: system.admin)
            #expect(none.absentBefore.map(\.text) == ["index.html"] && none.pairs.allSatisfy { $0.before == nil })
        }
    }

    @Test("Somebody asks for pictures of a version that nobody looked at; a worker with a browser gets the job")
    func look() async throws {
        try await Installation.with { system in
            _ = try await system.site("shop")
            let host = try await system.host()
            let services = system.services
            let before = try await services.edits.list(
                of: "shop", page: try PageRequest(limit: 10), for: system.admin
            ).items.count
            let job = try await services.pageLooks.look(at: 1, of: "shop", pages: [], for: system.admin).job
            #expect(job.kind == .look)
            #expect(try await system.auditRows()["look.accepted"] == 1)
            #expect(try await services.ledger.grant(job.id, to: host, able: [.builtin, .model]) == nil)
            let offer = try #require(try await services.ledger.grant(job.id, to: host, able: [.builtin, .browser]))
            #expect(offer.kind == .look && offer.lookPages.map(\.text) == ["index.html"])
            let isAccepted = try await services.ledger.accept(offer.lease, from: host)
            #expect(isAccepted)
            let verdict = try await services.completions.complete(
                JobCompletion(
                    lease: offer.lease,
                    outcome: .succeeded(changes: ManifestDelta(upserts: [], removals: []), digest: offer.base),
                    summary: "", usage: .zero, look: .follows), from: host)
            #expect(verdict == .applied)
            let waiting = try await services.pageChecks.find(1, of: "shop", for: system.admin)
            #expect(waiting.checks?.state == .waiting(until: system.clock.now() + PageChecks.patience))
            await #expect(throws: ServiceError.self) {
                _ = try await services.pageLooks.look(at: 1, of: "shop", pages: [], for: system.admin)
            }
            let pictures = try await Self.both("a", system)
            try await services.pageChecks.report(
                PageChecks(checks: Self.checks, pictures: pictures), of: offer.lease, from: host)
            let view = try await services.pageChecks.find(1, of: "shop", for: system.admin)
            #expect(view.pictures.map(\.picture) == pictures)
            let done = try await services.jobs.find(job.id, for: system.admin)
            #expect(done.job.state == .succeeded(try VersionNumber(1)))
            // No version, no edit of anybody's, and nothing moved.
            await #expect(throws: ServiceError.self) {
                _ = try await services.versions.find(2, of: "shop", for: system.admin)
            }
            let after = try await services.edits.list(
                of: "shop", page: try PageRequest(limit: 10), for: system.admin
            ).items.count
            #expect(after == before)
        }
    }

    @Test("A look that changes files, or comes without a browser, fails and makes nothing")
    func badLook() async throws {
        try await Installation.with { system in
            _ = try await system.site("shop")
            let host = try await system.host()
            let services = system.services
            let stray = try await system.blobs.put(Array("x".utf8))
            let entry = Manifest.Entry(path: try SitePath("x.txt"), sizeInBytes: 1, digest: stray)
            for (upserts, look) in [
                ([entry], JobCompletion.Look.follows), ([], .none), ([], .impossible("Chromium is gone")),
            ] as [([Manifest.Entry], JobCompletion.Look)] {
                let job = try await services.pageLooks.look(
                    at: 1, of: "shop", pages: ["index.html"], for: system.admin
                ).job
                let offer = try #require(try await services.ledger.grant(job.id, to: host, able: [.browser]))
                let isAccepted = try await services.ledger.accept(offer.lease, from: host)
                #expect(isAccepted)
                _ = try await services.completions.complete(
                    JobCompletion(
                        lease: offer.lease,
                        outcome: .succeeded(
                            changes: ManifestDelta(upserts: upserts, removals: []), digest: offer.base), summary: "",
                        usage: .zero, look: look), from: host)
                let done = try await services.jobs.find(job.id, for: system.admin)
                guard case .failed(let failure) = done.job.state else {
                    Issue.record("\(done.job.state)")
                    return
                }
                #expect(failure.code == "no-browser")
            }
            let view = try await services.pageChecks.find(1, of: "shop", for: system.admin)
            #expect(view.checks == nil && view.pictures.isEmpty)
        }
    }

    @Test("Only the owner may ask for pictures, and only of pages that the version has")
    func askers() async throws {
        try await Installation.with { system in
            let ada = try await system.user("ada")
            let eve = try await system.user("eve")
            _ = try await system.site("shop", of: ada)
            let looks = system.services.pageLooks
            for (pages, principal) in [
                ([], eve), (["index.html"], eve), (["gone.html"], ada), (["../index.html"], ada),
                (["styles.css"], ada), (Array(repeating: "index.html", count: 13), ada),
            ] as [([String], Principal)] {
                await #expect(throws: ServiceError.self, "\(pages)") {
                    _ = try await looks.look(at: 1, of: "shop", pages: pages, for: principal)
                }
            }
            await #expect(throws: ServiceError.self) {
                _ = try await system.services.pageChecks.screens(from: 1, to: 1, of: "shop", for: eve)
            }
        }
    }

    // MARK: What is worse than before

    private static func nameless(_ severity: Finding.Severity) -> Finding {
        Finding(
            severity: severity, rule: "accessibility-name", path: "index.html", subject: "button",
            message: "A button has no name that could be read aloud.")
    }

    @Test("What a browser finds worse than before keeps a version from going live until somebody accepts it")
    func worse() async throws {
        try await Installation.with { system in
            let ada = try await system.user("ada")
            let site = try await system.site("shop", of: ada)
            let host = try await system.host()
            let services = system.services
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            try await services.pageChecks.report(
                PageChecks(checks: Self.checks, findings: [Self.nameless(.error)]), of: lease, from: host)
            let refusal = await #expect(throws: ServiceError.self) {
                _ = try await services.releases.promote(version, on: "shop", for: ada)
            }
            #expect(refusal?.rule == "findings-open" && refusal?.findings == [Self.nameless(.error)])
            // Another edit that leaves the page as bad as it was is no way around it.
            let (next, third) = try await system.edited(site, by: host, page: Self.page("Cake"))
            try await services.pageChecks.report(
                PageChecks(checks: Self.checks, findings: [Self.nameless(.warning)]), of: next, from: host)
            await #expect(throws: ServiceError.self) {
                _ = try await services.releases.promote(third, on: "shop", for: ada)
            }
            let reference = FindingReference(rule: "accessibility-name", path: "index.html")
            let eve = try await system.user("eve")
            for (references, principal) in [
                ([], ada), ([FindingReference(rule: "id-twice", path: "index.html")], ada), ([reference], eve),
            ] as [([FindingReference], Principal)] {
                await #expect(throws: ServiceError.self) {
                    _ = try await services.versionAcceptance.accept(
                        references, of: third, on: "shop", for: principal)
                }
            }
            let accepted = try await services.versionAcceptance.accept([reference], of: third, on: "shop", for: ada)
            #expect(accepted.version.openFindings.isEmpty)
            #expect(accepted.version.findings.contains(Self.nameless(.warning)))
            #expect(try await system.auditRows()["findings.accepted"] == 1)
            _ = try await services.releases.promote(third, on: "shop", for: ada)
            // Going back is never refused.
            _ = try await services.releases.rollBack(on: "shop", to: version, for: ada)
        }
    }

    @Test("Only what is about accessibility may be called worse, and only beside a version before")
    func onlyAccessibility() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (lease, _) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let finding = Finding(severity: .error, rule: "console-error", path: "index.html", message: "x")
            await #expect(throws: ServiceError.self) {
                try await system.services.pageChecks.report(
                    PageChecks(checks: Self.checks, findings: [finding]), of: lease, from: host)
            }
        }
    }
}
