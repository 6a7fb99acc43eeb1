import Domain
import Persistence
import Testing

@testable import Coordinator

/// What a version waits for before it goes live.
@Suite(.timeLimit(.minutes(3))) struct ReleaseConditionTests {
    private static let checks = PageChecks(checks: PageChecks.Check.Name.allCases.map { PageChecks.Check($0) })

    private static func page(_ headline: String) -> String {
        Installation.page.replacingOccurrences(of: "Hello", with: headline)
    }

    /// What the audit log says of a release.
    private static func details(of release: Int, _ system: Installation) async throws -> [String: String] {
        let page = try await system.services.audit.list(
            AuditStore.Filter(action: AuditAction.releaseCreated.rawValue), oldestFirst: false,
            page: try PageRequest(), for: system.admin)
        return page.items.map(\.entry.details).first { $0["release"] == String(release) } ?? [:]
    }

    @Test("A version whose look is still running is not promoted, and the refusal says how long it may take")
    func waiting() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (_, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            system.clock.advance(by: .seconds(61))
            let releases = system.services.releases
            let before = try await system.auditRows()
            let refusal = await #expect(throws: ServiceError.self) {
                _ = try await releases.promote(version, on: "shop", for: system.admin)
            }
            #expect(refusal?.rule == "checks-running" && refusal?.code == .failedPrecondition)
            #expect(refusal?.nextStep?.contains("14 minutes at most") == true)
            #expect(refusal?.nextStep?.contains("pagewright promote shop \(version) --unchecked") == true)
            // Nothing is prepared on any host either.
            let everywhere = await #expect(throws: ServiceError.self) {
                _ = try await releases.promoteEverywhere(version, on: "shop", for: system.admin)
            }
            #expect(everywhere?.rule == "checks-running")
            #expect(try await system.auditRows() == before)
            #expect(try await system.services.sites.find("shop", for: system.admin).site.live?.rawValue == 1)
        }
    }

    @Test("Who does not wait goes ahead, and the audit log says so", arguments: [false, true])
    func unchecked(everywhere: Bool) async throws {
        try await Installation.with { system in
            // No host serves it, so none has to prepare it.
            let site = try await system.site("shop")
            let worker = try await system.host(["worker"])
            let (_, version) = try await system.edited(site, by: worker, page: Self.page("Bread"))
            let releases = system.services.releases
            let release =
                everywhere
                ? try await releases.promoteEverywhere(version, on: "shop", unchecked: true, for: system.admin)
                : try await releases.promote(version, on: "shop", unchecked: true, for: system.admin)
            #expect(release.version.rawValue == version)
            #expect(
                try await Self.details(of: 2, system) == [
                    "checks": "not awaited", "release": "2", "replaced": "1", "version": "2",
                ])
        }
    }

    @Test("A look that is over keeps nothing back, be it reported or given up, and nothing is noted of it")
    func settled() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (lease, second) = try await system.edited(site, by: host, page: Self.page("Bread"))
            try await system.services.pageChecks.report(Self.checks, of: lease, from: host)
            let releases = system.services.releases
            _ = try await releases.promote(second, on: "shop", unchecked: true, for: system.admin)
            #expect(try await Self.details(of: 2, system) == ["release": "2", "replaced": "1", "version": "2"])
            let (_, third) = try await system.edited(site, by: host, page: Self.page("Cake"))
            system.clock.advance(by: PageChecks.patience)
            _ = try await releases.promote(third, on: "shop", for: system.admin)
            #expect(try await Self.details(of: 3, system) == ["release": "3", "replaced": "2", "version": "3"])
        }
    }

    @Test("Without a browser, or for an upload, nothing is waited for")
    func withoutBrowser() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let releases = system.services.releases
            for (headline, look) in [("Bread", .none), ("Cake", .impossible("Chromium is not installed"))]
                as [(String, JobCompletion.Look)]
            {
                let (_, version) = try await system.edited(site, by: host, page: Self.page(headline), look: look)
                _ = try await releases.promote(version, on: "shop", for: system.admin)
            }
            let upload = try await system.services.versions.importArchive(
                at: try system.archive(Self.page("Tea")), into: "shop", promote: false, for: system.admin)
            _ = try await releases.promote(upload.version.number.rawValue, on: "shop", for: system.admin)
            #expect(try await Self.details(of: 4, system) == ["release": "4", "replaced": "3", "version": "4"])
        }
    }

    @Test("Going back is never refused, and what is live already is said to be")
    func back() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (_, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let releases = system.services.releases
            _ = try await releases.promote(version, on: "shop", unchecked: true, for: system.admin)
            let refusal = await #expect(throws: ServiceError.self) {
                _ = try await releases.promote(version, on: "shop", for: system.admin)
            }
            #expect(refusal?.rule == "already-live")
            _ = try await releases.rollBack(on: "shop", to: nil, for: system.admin)
            let again = try await releases.rollBack(on: "shop", to: version, for: system.admin)
            #expect(again.version.rawValue == version)
        }
    }

    @Test("A look that somebody asked for later keeps nothing back, of a template as of an edit")
    func askedFor() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let services = system.services
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            try await services.pageChecks.report(Self.checks, of: lease, from: host)
            _ = try await services.releases.promote(version, on: "shop", for: system.admin)
            let (next, third) = try await system.edited(site, by: host, page: Self.page("Cake"))
            try await services.pageChecks.report(Self.checks, of: next, from: host)
            for number in [1, third] {
                let job = try await services.pageLooks.look(at: number, of: "shop", pages: [], for: system.admin).job
                let offer = try #require(try await services.ledger.grant(job.id, to: host, able: [.browser]))
                let isTaken = try await services.ledger.accept(offer.lease, from: host)
                try #require(isTaken)
                _ = try await services.completions.complete(
                    JobCompletion(
                        lease: offer.lease,
                        outcome: .succeeded(changes: ManifestDelta(upserts: [], removals: []), digest: offer.base),
                        summary: "", usage: .zero, look: .follows), from: host)
                let view = try await services.pageChecks.find(number, of: "shop", for: system.admin)
                guard case .waiting? = view.checks?.state else {
                    Issue.record("nobody looks at version \(number)")
                    return
                }
                #expect(view.awaitedUntil == nil)
                let release = try await services.releases.promote(number, on: "shop", for: system.admin)
                let details = try await Self.details(of: release.number, system)
                #expect(details["version"] == String(number) && details["checks"] == nil)
            }
        }
    }

    @Test("What is found worse after somebody went ahead stays open, and keeps the next version back")
    func foundLate() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let services = system.services
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            _ = try await services.releases.promote(version, on: "shop", unchecked: true, for: system.admin)
            func nameless(_ severity: Finding.Severity) -> Finding {
                Finding(
                    severity: severity, rule: "accessibility-name", path: "index.html", subject: "button",
                    message: "A button has no name that could be read aloud.")
            }
            try await services.pageChecks.report(
                PageChecks(checks: Self.checks.checks, findings: [nameless(.error)]), of: lease, from: host)
            let (next, third) = try await system.edited(site, by: host, page: Self.page("Cake"))
            try await services.pageChecks.report(
                PageChecks(checks: Self.checks.checks, findings: [nameless(.warning)]), of: next, from: host)
            let refusal = await #expect(throws: ServiceError.self) {
                _ = try await services.releases.promote(third, on: "shop", unchecked: true, for: system.admin)
            }
            #expect(refusal?.rule == "findings-open")
        }
    }
}
