import Artifacts
import Domain
import Foundation
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(3))) struct PageCheckTests {
    private static let finding = Finding(
        severity: .warning, rule: "console-error", path: "index.html", subject: "oh", message: "A script failed: oh.")
    private static let checks = PageChecks.Check.Name.allCases.map { PageChecks.Check($0) }

    private static func page(_ headline: String) -> String {
        Installation.page.replacingOccurrences(of: "Hello", with: headline)
    }

    private static func report(_ pictures: [PagePicture] = [], _ findings: [Finding] = [finding]) -> PageChecks {
        PageChecks(checks: checks, findings: findings, pictures: pictures)
    }

    @Test("A report becomes findings, checks and pictures of the version, with one audit row and one event")
    func report() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let service = system.services.pageChecks
            let waiting = try await service.find(version, of: "shop", for: system.admin)
            #expect(waiting.checks?.state == .waiting(until: system.clock.now() + PageChecks.patience))
            let box = PagePicture.Box(x: 1, y: 2, width: 3, height: 4)
            let picture = try await system.picture("a", changes: [box])
            let before = try await system.auditRows()
            try await service.report(Self.report([picture]), of: lease, from: host)
            let done = try await service.find(version, of: "shop", for: system.admin)
            #expect(done.checks?.state == .done(at: system.clock.now()))
            #expect(done.checks?.checks == Self.checks && done.findings == [Self.finding])
            #expect(done.checks?.pictures == [.init(picture, takenOf: try VersionNumber(version))])
            let stored = try await system.services.versions.find(version, of: "shop", for: system.admin)
            #expect(stored.version.findings.contains(Self.finding))
            // The same once more has no effect.
            try await service.report(Self.report([picture]), of: lease, from: host)
            let after = try await system.auditRows()
            #expect(after["version.checked"] == 1 && before["version.checked"] == nil)
            let more: Int = after.values.reduce(0, +) - before.values.reduce(0, +)
            #expect(more == 1)
            let events = try await system.database.read {
                try await $0.query("SELECT body FROM event WHERE kind = 'version.checked'")
            }
            #expect(events.count == 1)
        }
    }

    @Test("Only the worker that made the version may report, only with its lease, and not too late")
    func authority() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let other = try await system.host()
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let service = system.services.pageChecks
            let exchange = system.services.exchange
            func refused(_ lease: JobLease, _ host: HostID, _ line: SourceLocation = #_sourceLocation) async {
                await #expect(throws: ServiceError.self, sourceLocation: line) {
                    try await service.report(Self.report(), of: lease, from: host)
                }
                await #expect(throws: ServiceError.self, sourceLocation: line) {
                    _ = try await exchange.missing(among: [], access: .checks(lease), host: host)
                }
            }
            await refused(lease, other)
            var generator = SystemRandomNumberGenerator()
            let forged = JobLease(
                job: lease.job, attempt: lease.attempt, token: LeaseToken(using: &generator), fence: lease.fence)
            await refused(forged, host)
            // It may add pictures, and read nothing.
            _ = try await exchange.makeBatch(access: .checks(lease), host: host)
            let manifest = try await system.services.versions.manifest(version, of: "shop", for: system.admin)
            await #expect(throws: ServiceError.self) {
                _ = try await exchange.open(
                    manifest.manifest.entries.map(\.digest), access: .checks(lease), host: host)
            }
            system.clock.advance(by: PageChecks.patience)
            await refused(lease, host)
            let view = try await service.find(version, of: "shop", for: system.admin)
            #expect(view.checks?.checks.allSatisfy { $0.obstacle == "the worker did not report in time" } == true)
        }
    }

    @Test("A worker without a browser says why, and the version says it at once")
    func impossible() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (lease, version) = try await system.edited(
                site, by: host, page: Self.page("Bread"), look: .impossible("Chromium is not installed"))
            let view = try await system.services.pageChecks.find(version, of: "shop", for: system.admin)
            #expect(view.checks?.checks.map(\.obstacle) == Array(repeating: "Chromium is not installed", count: 6))
            try await system.services.pageChecks.report(Self.report(), of: lease, from: host)
            let after = try await system.services.pageChecks.find(version, of: "shop", for: system.admin)
            #expect(after.findings.isEmpty)
            let first = try await system.services.pageChecks.find(1, of: "shop", for: system.admin)
            #expect(first.checks == nil)
        }
    }

    @Test("A report about pages, pictures or rules that are not the version's is refused as a whole")
    func lies() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let good = try await system.picture("a")
            func with(
                page: String = "index.html", width: Int? = nil, height: Int? = nil, size: Int64? = nil,
                digest: ContentDigest? = nil, format: PagePicture.Format = .png
            ) throws -> PagePicture {
                PagePicture(
                    page: try SitePath(page), kind: .page, width: width ?? good.width, height: height ?? good.height,
                    format: format, digest: digest ?? good.digest, sizeInBytes: size ?? good.sizeInBytes,
                    changes: nil)
            }
            let script = try await system.blobs.put(Array("<script>alert(1)</script>".utf8))
            let lies: [PageChecks] = [
                Self.report([try with(page: "other.html")]), Self.report([try with(width: 1280)]),
                Self.report([try with(height: 4001)]), Self.report([try with(size: 1)]),
                Self.report([try with(format: .jpeg)]), Self.report([good, good]),
                Self.report([try with(size: 25, digest: script)]),
                Self.report([try with(digest: ContentDigest(hashing: "nowhere"))]),
                Self.report([], [Finding(severity: .error, rule: "console-error", path: "index.html", message: "x")]),
                Self.report([], [Finding(severity: .warning, rule: "index-missing", path: "index.html", message: "x")]),
                Self.report([], [Finding(severity: .warning, rule: "id-twice", path: "gone.html", message: "x")]),
            ]
            for lie in lies {
                await #expect(throws: ServiceError.self, "\(lie)") {
                    try await system.services.pageChecks.report(lie, of: lease, from: host)
                }
            }
            let view = try await system.services.pageChecks.find(version, of: "shop", for: system.admin)
            #expect(view.findings.isEmpty && view.checks?.pictures.isEmpty == true)
        }
    }

    @Test("Pictures and checks are shown to the owner and to nobody else")
    func ownership() async throws {
        try await Installation.with { system in
            let ada = try await system.user("ada")
            let eve = try await system.user("eve")
            let site = try await system.site("shop", of: ada)
            let host = try await system.host()
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let picture = try await system.picture("a")
            let service = system.services.pageChecks
            try await service.report(Self.report([picture]), of: lease, from: host)
            let found = try await service.picture(
                picture.digest.text, version: version, of: "shop", for: ada)
            let bytes = try await found.store.read(found.picture.digest, limit: 1 << 20)
            #expect(bytes.count == Int(picture.sizeInBytes))
            for refused in [
                { try await service.picture(picture.digest.text, version: version, of: "shop", for: eve).picture },
                { try await service.picture(picture.digest.text, version: 1, of: "shop", for: ada).picture },
                { try await service.picture("nonsense", version: version, of: "shop", for: ada).picture },
            ] as [() async throws -> PagePicture] {
                await #expect(throws: ServiceError.self) { _ = try await refused() }
            }
            await #expect(throws: ServiceError.self) { _ = try await service.find(version, of: "shop", for: eve) }
            // A page of the site is no picture of it.
            let manifest = try await system.services.versions.manifest(version, of: "shop", for: ada).manifest
            let file = try #require(manifest.entries.first)
            await #expect(throws: ServiceError.self) {
                _ = try await service.picture(file.digest.text, version: version, of: "shop", for: ada)
            }
            let sites = [try await system.services.sites.find("shop", for: ada)]
            #expect(try await service.thumbnails(of: sites, for: eve).isEmpty)
        }
    }

    @Test("What did not change since the parent keeps its pictures and its findings; what changed does not")
    func inheritance() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let service = system.services.pageChecks
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let phone = try await system.picture("a")
            let small = try await system.picture("small", kind: .thumbnail, width: 480)
            try await service.report(Self.report([phone, small]), of: lease, from: host)
            // A new page and nothing else.
            let job = try await system.edit(site)
            let next = try await system.lease(job, to: host)
            let digest = try await system.blobs.put(Array(Self.page("About us").utf8))
            let base = try await system.services.versions.manifest(version, of: "shop", for: system.admin).manifest
            let changes = ManifestDelta(
                upserts: [
                    Manifest.Entry(
                        path: try SitePath("about.html"), sizeInBytes: Int64(Self.page("About us").utf8.count),
                        digest: digest)
                ], removals: [])
            _ = try await system.services.completions.complete(
                JobCompletion(
                    lease: next, outcome: .succeeded(changes: changes, digest: try changes.applied(to: base).digest),
                    summary: "Done", usage: .zero, look: .follows), from: host)
            let about = try await system.picture("b", of: "about.html")
            try await service.report(Self.report([about], []), of: next, from: host)
            let view = try await service.find(version + 1, of: "shop", for: system.admin)
            let pictures = try #require(view.checks?.pictures)
            #expect(pictures.map(\.picture.page.text) == ["about.html", "index.html", "index.html"])
            #expect(pictures.map(\.takenOf.rawValue) == [version + 1, version, version])
            #expect(pictures[1].picture.changes == [] && pictures[1].picture.digest == phone.digest)
            #expect(view.findings == [Self.finding])
            // Then the start page changes: it is as it was seen now.
            let (last, third) = try await system.edited(site, by: host, page: Self.page("Cake"))
            try await service.report(Self.report([], []), of: last, from: host)
            let after = try await service.find(third, of: "shop", for: system.admin)
            #expect(after.checks?.pictures.map(\.picture.page.text) == ["about.html"] && after.findings.isEmpty)
        }
    }

    @Test("A site's card shows the thumbnail of what is live")
    func thumbnails() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let (lease, version) = try await system.edited(site, by: host, page: Self.page("Bread"))
            let small = try await system.picture("small", kind: .thumbnail, width: 480)
            try await system.services.pageChecks.report(Self.report([small]), of: lease, from: host)
            func shown() async throws -> ContentDigest? {
                let view = try await system.services.sites.find("shop", for: system.admin)
                return try await system.services.pageChecks.thumbnails(of: [view], for: system.admin)[site]
            }
            #expect(try await shown() == nil)
            _ = try await system.services.releases.promote(version, on: "shop", for: system.admin)
            #expect(try await shown() == small.digest)
        }
    }
}
