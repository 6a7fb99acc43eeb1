import Artifacts
import Domain
import FleetIdentity
import Foundation
import NIOCore
import Testing

@testable import Coordinator

/// What a browser saw of versions, on the pages.
@Suite(.timeLimit(.minutes(3))) struct LookTests {
    /// A version that a worker made, and the worker.
    private struct Look {
        let web: WebFixture
        let host: HostID
        let lease: JobLease

        static func begin(
            _ web: WebFixture, _ slug: String, headline: String, page: String = "index.html"
        ) async throws -> Look {
            let services = web.coordinator
            let admin = Principal(user: UserID(at: web.clock.now()), role: .admin)
            let invitation = try await services.hosts.invite(roles: ["worker"], for: admin)
            let host = try await services.membership.enrol(
                secret: try JoinToken(invitation.token).secret.text, signingRequest: try AgentKey().signingRequest(),
                hostName: "host", agentVersion: "1"
            ).host
            let edit = try await services.edits.submit(
                prompt: "Change the headline", engine: nil, baseVersion: nil, to: slug, for: admin)
            let offer = try #require(
                try await services.ledger.grant(edit.job.job.id, to: host, able: [.builtin]))
            let isTaken = try await services.ledger.accept(offer.lease, from: host)
            try #require(isTaken)
            let shown = try #require(try await services.sites.find(slug, for: admin).site.preview)
            let base = try await services.versions.manifest(shown.rawValue, of: slug, for: admin).manifest
            let bytes = Array(WebFixture.html(headline).utf8)
            let digest = try await put(bytes, .lease(offer.lease), host, services)
            let changes = ManifestDelta(
                upserts: [
                    Manifest.Entry(path: try SitePath(page), sizeInBytes: Int64(bytes.count), digest: digest)
                ], removals: [])
            let verdict = try await services.completions.complete(
                JobCompletion(
                    lease: offer.lease,
                    outcome: .succeeded(changes: changes, digest: try changes.applied(to: base).digest),
                    summary: "Changed the headline", usage: .zero, look: .follows), from: host)
            try #require(verdict == .applied)
            return Look(web: web, host: host, lease: offer.lease)
        }

        private static func put(
            _ bytes: [UInt8], _ access: BlobAccess, _ host: HostID, _ services: CoordinatorServices
        ) async throws -> ContentDigest {
            let batch = try await services.exchange.makeBatch(access: access, host: host)
            let writer = try await batch.makeWriter()
            try await writer.write(ByteBuffer(bytes: bytes))
            let stored = try await writer.finish(expecting: nil)
            try await batch.commit()
            return stored.digest
        }

        /// What says that it is a picture of this size, and a mark.
        static func png(width: Int, height: Int, _ mark: String) -> [UInt8] {
            func number(_ value: Int) -> [UInt8] {
                (0..<4).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            }
            return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + number(13) + Array("IHDR".utf8)
                + number(width) + number(height) + [8, 2, 0, 0, 0] + Array(mark.utf8)
        }

        /// Hands in a report of these findings, without pictures.
        func report(_ findings: [Finding]) async throws {
            try await web.coordinator.pageChecks.report(
                PageChecks(
                    checks: PageChecks.Check.Name.allCases.map { PageChecks.Check($0) }, findings: findings),
                of: lease, from: host)
        }

        /// Hands in a report with three pictures and a hostile finding. Returns the picture of the phone.
        func report(
            _ mark: String, changes: [PagePicture.Box]?, page: String = "index.html", before: String? = nil
        ) async throws -> ContentDigest {
            var pictures: [PagePicture] = []
            var older: [PagePicture] = []
            for width in PagePicture.widths {
                guard let before else { break }
                let bytes = Self.png(width: width, height: 800, before)
                older.append(
                    PagePicture(
                        page: try SitePath(page), kind: .page, width: width, height: 800, format: .png,
                        digest: try await Self.put(bytes, .checks(lease), host, web.coordinator),
                        sizeInBytes: Int64(bytes.count), changes: nil))
            }
            for (kind, width, height) in [
                (PagePicture.Kind.page, 375, 900), (.page, 1280, 700), (.thumbnail, 480, 300),
            ] {
                let bytes = Self.png(width: width, height: height, mark)
                pictures.append(
                    PagePicture(
                        page: try SitePath(kind == .page ? page : "index.html"), kind: kind, width: width,
                        height: height, format: .png,
                        digest: try await Self.put(bytes, .checks(lease), host, web.coordinator),
                        sizeInBytes: Int64(bytes.count), changes: kind == .page ? changes : nil))
            }
            var checks = PageChecks.Check.Name.allCases.map { PageChecks.Check($0) }
            checks[0] = PageChecks.Check(.console, obstacle: "the <b>browser</b> was tired")
            try await web.coordinator.pageChecks.report(
                PageChecks(
                    checks: checks,
                    findings: [
                        Finding(
                            severity: .warning, rule: "console-error", path: "index.html",
                            message: "A script complained: <script>alert(1)</script>.")
                    ], pictures: pictures, before: older), of: lease, from: host)
            return pictures[0].digest
        }
    }

    @Test("The page of a version waits for the browser, then shows pictures, changed places, findings and obstacles")
    func version() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let first = try await browser.get("/sites/bakery/versions/1").text
            #expect(first.contains("No browser looked at this version"))
            let look = try await Look.begin(web, "bakery", headline: "Fresh bread")
            let waiting = try await browser.get("/sites/bakery/versions/2")
            #expect(waiting.text.contains("A browser looks at the changed pages"))
            #expect(waiting.text.contains("data-src=\"/sites/bakery/versions/2/checks\""))
            let digest = try await look.report("a", changes: [.init(x: 16, y: 32, width: 64, height: 48)])
            for path in ["/sites/bakery/versions/2", "/sites/bakery/versions/2/checks"] {
                let text = try await browser.get(path).text
                #expect(text.contains("/sites/bakery/versions/2/screenshots/\(digest)"))
                #expect(text.contains("<rect x=\"16\" y=\"32\" width=\"64\" height=\"48\">"))
                #expect(text.contains("1 place changed") && !text.contains("A browser looks at"))
                #expect(text.contains("&lt;script&gt;alert(1)") && !text.contains("<script>alert"))
                #expect(text.contains("&lt;b&gt;browser") && !text.contains("<b>browser"))
            }
        }
    }

    @Test("A picture is sent to the owner, to be kept for ever, and to nobody else")
    func pictures() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let digest = try await Look.begin(web, "bakery", headline: "Fresh bread").report("a", changes: nil)
            let path = "/sites/bakery/versions/2/screenshots/\(digest)"
            let answer = try await browser.get(path)
            #expect(answer.status == 200 && answer.headers.first(name: "content-type") == "image/png")
            #expect(answer.headers.first(name: "cache-control") == "private, max-age=31536000, immutable")
            #expect(answer.headers.first(name: "x-content-type-options") == "nosniff")
            #expect(answer.headers.first(name: "content-security-policy")?.contains("default-src 'none'") == true)
            #expect(try await browser.get("/sites/bakery/versions/1/screenshots/\(digest)").status == 404)
            let stranger = try await web.browser(as: "eve@example.org", name: "Eve")
            #expect(try await stranger.get(path).status == 404)
            #expect(try await stranger.get("/sites/bakery/versions/2/checks").status == 404)
            #expect(try await Browser(web).get(path).status == 303)
        }
    }

    @Test("The comparison shows what changed in words, in looks side by side, and in lines with the words that differ")
    func compare() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let old = try await Look.begin(web, "bakery", headline: "Fresh bread daily").report("a", changes: nil)
            let new = try await Look.begin(web, "bakery", headline: "Fresh cake daily").report(
                "b", changes: [.init(x: 16, y: 32, width: 64, height: 48), .init(x: 0, y: 96, width: 16, height: 16)])
            let text = try await browser.get("/sites/bakery/compare/2/3").text
            #expect(text.contains("/versions/2/screenshots/\(old)") && text.contains("/versions/3/screenshots/\(new)"))
            #expect(text.contains("2 places changed"))
            #expect(text.matches(of: /<rect x="16"/).count == 4, "in both pictures at both widths")
            #expect(text.contains("<mark>bread</mark>") && text.contains("<mark>cake</mark>"))
            #expect(text.contains("Changed the heading"))
            // Of versions that are no step apart, no place is known.
            let far = try await browser.get("/sites/bakery/compare/3/2").text
            #expect(!far.contains("<rect") && far.contains("screenshots/\(old)"))
            let first = try await browser.get("/sites/bakery/compare/1/3").text
            #expect(first.contains("No picture of version 1"))
            #expect(first.contains("Version 1 has no picture of index.html."))
            #expect(first.contains("data-src=\"/sites/bakery/compare/1/3/looks\""))
        }
    }

    @Test("The first edit of a template shows how it looked before and how it looks now")
    func firstEdit() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let new = try await Look.begin(web, "bakery", headline: "Fresh bread").report(
                "b", changes: [.init(x: 16, y: 32, width: 64, height: 48)], before: "a")
            let text = try await browser.get("/sites/bakery/compare/1/2").text
            #expect(text.contains("/versions/1/screenshots/") && text.contains("/versions/2/screenshots/\(new)"))
            #expect(!text.contains("No picture of") && !text.contains("Take the pictures"))
            #expect(text.matches(of: /<rect x="16"/).count == 4, "in both pictures at both widths")
            let picture = /<img src="(\/sites\/bakery\/versions\/1\/screenshots\/[0-9a-f]+)"/
            let address = try #require(text.firstMatch(of: picture))
            #expect(try await browser.get(String(address.1)).status == 200)
            let own = try await browser.get("/sites/bakery/versions/1").text
            #expect(own.contains("taken to compare another version") && own.contains("Take pictures of more pages"))
        }
    }

    @Test("Who lacks a picture asks for it with one click, and the comparison waits for it")
    func ask() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            _ = try await Look.begin(web, "bakery", headline: "Fresh bread").report("a", changes: nil)
            let path = "/sites/bakery/compare/1/2"
            let answer = try await browser.post(
                "/sites/bakery/versions/1/look", from: path, ["from": "1", "to": "2", "page": "index.html"])
            #expect(answer.status == 200 && answer.text.contains("id=\"in-looks\""))
            let jobs = try await web.coordinator.jobs.list(
                site: "bakery", state: nil, page: try PageRequest(limit: 10),
                for: Principal(user: UserID(at: web.clock.now()), role: .admin))
            #expect(jobs.items.contains { $0.job.kind == .look })
            #expect(try await browser.get(path + "/looks").text.contains("Version 1 has no picture of index.html."))
        }
    }

    @Test("A page with a hostile name stays text wherever its picture stands")
    func hostileName() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let page = "x\" onerror=\"alert(1)<b>'&.html"
            let look = try await Look.begin(web, "bakery", headline: "Fresh bread", page: page)
            let digest = try await look.report("a", changes: nil, page: page)
            for path in ["/sites/bakery/versions/2", "/sites/bakery/compare/1/2", "/sites/bakery/compare/1/2/looks"] {
                let text = try await browser.get(path).text
                #expect(text.contains("screenshots/\(digest)"), "\(path)")
                #expect(!text.contains("onerror=\"alert(1)") && !text.contains("alert(1)<b>"), "\(path)")
                #expect(text.contains("alt=\"x&quot; onerror=&quot;alert(1)&lt;b&gt;"), "\(path)")
            }
        }
    }

    private static func nameless(_ subject: String) -> Finding {
        Finding(
            severity: .error, rule: "accessibility-name", path: "index.html", subject: subject,
            message: "A \(subject) has no name that could be read aloud.")
    }

    private static let twice = Finding(
        severity: .error, rule: "id-twice", path: "index.html", subject: "top", message: "An id is there twice.")

    @Test("What is worse than before has to be accepted on the sheet before it is promoted")
    func worse() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let look = try await Look.begin(web, "bakery", headline: "Fresh bread")
            try await look.report([Self.nameless("button")])
            let sheet = try await browser.get("/sites/bakery/promote/2").text
            #expect(sheet.contains("name=\"accept\" value=\"yes\" required"))
            let refused = try await browser.post(
                "/sites/bakery/promote", from: "/sites/bakery/promote/2", ["version": "2", "back": "versions"])
            #expect(refused.status != 200 && refused.text.contains("A button has no name"))
            let done = try await browser.post(
                "/sites/bakery/promote", from: "/sites/bakery/promote/2",
                [
                    "version": "2", "back": "versions", "accept": "yes", "finding": "accessibility-name:index.html",
                ])
            #expect(done.status == 200)
            let site = try await browser.get("/sites/bakery/promote/2").text
            #expect(site.contains("Visitors see this version already"))
        }
    }

    @Test("While the browser looks, the sheet asks whether to wait, and draws itself again when it is done")
    func looking() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let look = try await Look.begin(web, "bakery", headline: "Fresh bread")
            let part = "/sites/bakery/promote/2/state/versions"
            let sheet = try await browser.get("/sites/bakery/promote/2?back=versions").text
            #expect(sheet.contains("A browser still looks at the pages that changed"))
            #expect(sheet.contains("name=\"unchecked\" value=\"yes\" required> Promote without waiting for it"))
            #expect(sheet.contains("data-src=\"\(part)\"") && !sheet.contains("All passed."))
            #expect(sheet.contains("href=\"/sites/bakery/promote/2?back=versions\">Look again"))
            #expect(try await browser.get(part).text.contains("name=\"unchecked\""))
            try await look.report([])
            let drawn = try await browser.get(part).text
            #expect(!drawn.contains("name=\"unchecked\"") && drawn.contains("All passed."))
            #expect(drawn.contains("name=\"back\" value=\"versions\"") && !drawn.contains("<html"))
            let done = try await browser.post(
                "/sites/bakery/promote", from: "/sites/bakery/promote/2", ["version": "2", "back": "versions"])
            #expect(done.text.contains("Version 2 is the one for visitors now."))
            #expect(try await browser.get(part).text.contains("Visitors see this version already."))
        }
    }

    @Test("Who promotes without the sheet while the browser looks gets the sheet; its box goes ahead")
    func unchecked() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            _ = try await Look.begin(web, "bakery", headline: "Fresh bread")
            let asked = try await browser.post(
                "/sites/bakery/promote", from: "/sites/bakery/studio", ["version": "2"])
            #expect(asked.status == 409 && asked.text.contains("A browser still looks at the pages of version 2."))
            #expect(asked.text.contains("name=\"unchecked\"") && !asked.text.contains("--unchecked"))
            #expect(asked.text.contains("What changes for visitors"))
            let done = try await browser.post(
                "/sites/bakery/promote", from: "/sites/bakery/promote/2", ["version": "2", "unchecked": "yes"])
            #expect(done.text.contains("Version 2 is the one for visitors now."))
        }
    }

    @Test("What was found after the sheet was drawn is not accepted with it")
    func unseen() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let look = try await Look.begin(web, "bakery", headline: "Fresh bread")
            try await look.report([Self.nameless("button"), Self.nameless("link"), Self.twice])
            let sheet = try await browser.get("/sites/bakery/promote/2").text
            #expect(sheet.matches(of: /name="finding" value="accessibility-name:index.html"/).count == 2)
            #expect(sheet.matches(of: /name="finding" value="id-twice:index.html"/).count == 1)
            let token = try #require(try await browser.get("/sites/bakery/promote/2").token)
            func promote(_ shown: String) async throws -> Browser.Answer {
                let form = "csrf=\(token)&version=2&accept=yes" + shown
                return try await browser.send(
                    "POST", "/sites/bakery/promote",
                    headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(form.utf8))
            }
            let name = "&finding=accessibility-name%3Aindex.html"
            // A sheet that showed none of them, one that showed one of two with the same name, and a hand-made one.
            for shown in ["", name, "&finding=%2A&finding=accessibility-name%3A%2A"] {
                let refused = try await promote(shown)
                #expect(refused.status == 409 && refused.text.contains("name=\"finding\""), "\(shown)")
                #expect(refused.text.matches(of: /name="finding"/).count == 3, "\(shown)")
            }
            // What was shown is accepted; what was not keeps the version back, and is on the sheet that comes.
            let rest = try await promote(name + name)
            #expect(rest.status == 409 && rest.text.contains("An id is there twice."))
            let left = rest.text.matches(of: /name="finding" value="([^"]*)"/).map { String($0.1) }
            #expect(left == ["id-twice:index.html"])
            let done = try await promote("&finding=id-twice%3Aindex.html")
            #expect(done.status == 303)
        }
    }

    @Test("The timeline says who asked for what, how the checks went, and shows what was seen")
    func timeline() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", name: "Ada", site: "bakery")
            let plain = try await browser.get("/sites/bakery/versions").text
            #expect(plain.contains("By you, from the template plain") && plain.contains("Checks passed"))
            #expect(!plain.contains("class=\"shot\""))
            let look = try await Look.begin(web, "bakery", headline: "Fresh bread")
            _ = try await look.report("a", changes: nil)
            let text = try await browser.get("/sites/bakery/versions").text
            #expect(text.contains("<p class=\"asked promptline\">Change the headline</p>"))
            #expect(text.contains("with the built-in editor") && text.contains("1 finding"))
            let picture = /<img src="(\/sites\/bakery\/versions\/2\/screenshots\/[0-9a-f]+)"/
            let found = try #require(text.firstMatch(of: picture))
            #expect(try await browser.get(String(found.1)).status == 200)
        }
    }

    @Test("A site's card shows its start page as it was seen in the live version")
    func card() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            _ = try await Look.begin(web, "bakery", headline: "Fresh bread").report("a", changes: nil)
            let before = try await browser.get("/sites").text
            #expect(!before.contains("screenshots/"))
            try await browser.post(
                "/sites/bakery/promote", from: "/sites/bakery/promote/2", ["version": "2", "back": "versions"])
            let text = try await browser.get("/sites").text
            let picture = /<img src="(\/sites\/bakery\/versions\/2\/screenshots\/[0-9a-f]+)"/
            let found = try #require(text.firstMatch(of: picture))
            #expect(try await browser.get(String(found.1)).status == 200)
        }
    }
}
