import Artifacts
import Database
import Domain
import Persistence
import Testing

@testable import Coordinator

/// What becomes of edits that did more than they were asked to.
@Suite struct GuardrailTests {
    static let page = Installation.page.replacing(
        "<h1>Hello</h1>", with: "<h1>Hello</h1><form action=\"/\"><button>Send</button></form>")

    /// A site whose page has a form, and a host.
    private func prepare(_ system: Installation) async throws -> (site: SiteID, host: HostID) {
        let site = try await system.site("shop")
        _ = try await system.services.versions.importArchive(
            at: try system.archive(Self.page), into: site.text, promote: false, for: system.admin)
        return (site, try await system.host())
    }

    private func edit(
        _ system: Installation, _ site: SiteID, _ prompt: String, page: String, by host: HostID
    ) async throws -> JobID {
        let job = try await system.services.edits.submit(
            prompt: prompt, engine: nil, baseVersion: nil, to: site.text, for: system.admin
        ).job.job.id
        let lease = try await system.lease(job, to: host)
        let completion = try await system.completion(lease, of: site, page: page)
        #expect(try await system.services.completions.complete(completion, from: host) == .applied)
        return job
    }

    private func view(_ system: Installation, _ job: JobID) async throws -> JobView {
        try await system.services.jobs.find(job, for: system.admin)
    }

    @Test("A change that loses what nobody asked to lose is refused, kept, and can be seen")
    func refused() async throws {
        try await Installation.with { system in
            let (site, host) = try await prepare(system)
            let job = try await edit(system, site, "Change the headline", page: Installation.page, by: host)
            let view = try await view(system, job)
            guard case .failed(let failure) = view.job.state else {
                Issue.record("the job is \(view.job.stateName)")
                return
            }
            #expect(failure.code == "validation-failed")
            #expect(view.findings.map { "\($0.rule) \($0.path)" } == ["form-lost index.html"])
            #expect(view.findings.first?.before == "the form \"Send\" to \"/\"")
            let review = try #require(view.review)
            #expect(review.version == nil && review.scope == ChangeScope(changed: 1, total: 1, outside: 0))
            let shown = try await system.services.sites.find(site.text, for: system.admin).site
            #expect(shown.preview == VersionNumber(unchecked: 2) && shown.lastVersion == shown.preview)
            let changes = try await system.services.comparison.outline(.job(job), for: system.admin)
            #expect(changes.flatMap(\.entries).map(\.change) == [.removed])
            let stranger = try await system.user("eve")
            await #expect(throws: ServiceError.self) {
                try await system.services.comparison.outline(.job(job), for: stranger)
            }
        }
    }

    @Test("What was asked to go may go")
    func asked() async throws {
        try await Installation.with { system in
            let (site, host) = try await prepare(system)
            let job = try await edit(system, site, "Remove the form", page: Installation.page, by: host)
            let view = try await view(system, job)
            #expect(view.job.stateName == .succeeded && view.findings.isEmpty)
            #expect(view.review?.version == VersionNumber(unchecked: 3))
        }
    }

    @Test("An owner accepts a finding once: the change becomes a version, with the finding as a warning")
    func accepted() async throws {
        try await Installation.with { system in
            let (site, host) = try await prepare(system)
            let job = try await edit(system, site, "Change the headline", page: Installation.page, by: host)
            let form = try FindingReference("form-lost:index.html")
            func accept(
                _ references: [FindingReference], for principal: Principal? = nil
            ) async throws -> VersionView {
                try await system.services.acceptance.accept(
                    job, findings: references, for: principal ?? system.admin)
            }
            let stranger = try await system.user("eve")
            await #expect { try await accept([form], for: stranger) } throws: {
                ($0 as? ServiceError)?.code == .notFound
            }
            await #expect { try await accept([]) } throws: { ($0 as? ServiceError)?.code == .invalidArgument }
            await #expect { try await accept([FindingReference(rule: "link-lost", path: "index.html")]) } throws: {
                ($0 as? ServiceError)?.rule == "finding-known"
            }
            let version = try await accept([form])
            #expect(version.isPreview && version.version.parent == VersionNumber(unchecked: 2))
            #expect(version.version.findings.map { "\($0.severity.rawValue) \($0.rule)" } == ["warning form-lost"])
            #expect(try await view(system, job).review?.version == version.version.number)
            #expect(try await view(system, job).job.stateName == .failed)
            await #expect { try await accept([form]) } throws: { ($0 as? ServiceError)?.rule == "change-accepted" }
            #expect(try await system.auditRows()["findings.accepted"] == 1)
            // For once: the next change is judged anew.
            let other = try await edit(system, site, "Bring the form back", page: Self.page, by: host)
            #expect(try await view(system, other).job.stateName == .succeeded)
            let again = try await edit(system, site, "Change the headline", page: Installation.page, by: host)
            #expect(try await view(system, again).job.stateName == .failed)
        }
    }

    @Test("Accepting one finding of two is not enough, and a lock cannot be accepted away")
    func notEnough() async throws {
        try await Installation.with { system in
            let (site, host) = try await prepare(system)
            let page = Installation.page.replacing("<h1>Hello</h1>", with: "<h1>Hello</h1><script>eval(name)</script>")
            let job = try await edit(system, site, "Change the headline", page: page, by: host)
            await #expect {
                try await system.services.acceptance.accept(
                    job, findings: [FindingReference(rule: "form-lost", path: "*")], for: system.admin)
            } throws: { error in
                (error as? ServiceError)?.findings.first?.rule == "script-dangerous"
            }
            _ = try await system.services.locks.set(["*.html"], on: site.text, for: system.admin)
            let locked = try await edit(system, site, "Remove the form", page: Installation.page, by: host)
            #expect(try await view(system, locked).findings.map(\.rule) == ["file-locked"])
            await #expect {
                try await system.services.acceptance.accept(
                    locked, findings: [FindingReference(rule: "file-locked", path: "index.html")], for: system.admin)
            } throws: { error in
                (error as? ServiceError)?.rule == "finding-acceptable"
            }
        }
    }

    @Test("A change is not accepted over a preview that has moved since")
    func moved() async throws {
        try await Installation.with { system in
            let (site, host) = try await prepare(system)
            let job = try await edit(system, site, "Change the headline", page: Installation.page, by: host)
            _ = try await edit(
                system, site, "Change the headline", page: Self.page.replacing("Hello", with: "Hi"), by: host)
            await #expect {
                try await system.services.acceptance.accept(
                    job, findings: [FindingReference(rule: "form-lost", path: "index.html")], for: system.admin)
            } throws: { error in
                (error as? ServiceError)?.rule == "preview-moved"
            }
        }
    }

    @Test("Uploads are the owner's own: nothing is held against them")
    func uploads() async throws {
        try await Installation.with { system in
            let (site, _) = try await prepare(system)
            _ = try await system.services.locks.set(["**"], on: site.text, for: system.admin)
            let version = try await system.services.versions.importArchive(
                at: try system.archive(Installation.page), into: site.text, promote: false, for: system.admin)
            #expect(version.isPreview)
        }
    }
}
