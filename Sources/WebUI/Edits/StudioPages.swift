import Coordinator
import Domain

/// Where somebody talks to a site and sees what comes of it.
struct StudioPages: Sendable {
    private static let pageSize = 12
    /// How many changed files a card names.
    private static let filesOnCard = 8
    /// 20,000 characters, each of several bytes and each of those encoded, fit in.
    private static let promptLimit = 1 << 20

    let services: WebServices
    let engines: [String]

    var routes: [PageRoute] {
        [
            .get("/sites/{site}/studio") { .page(try await page($0)) },
            .get("/sites/{site}/studio/feed") { visit in
                let view = try await services.sites.find(visit.site, for: try visit.principal)
                return .part("studio-feed", try await feed(view, visit))
            },
            .post("/sites/{site}/plans/{edit}/run") { visit in
                let path = visit.sitePath
                let (edit, _) = try await services.edits.run(
                    plan: try visit.identifier("edit"), of: visit.site, for: try visit.principal,
                    once: visit.once { "\(path)/studio#\($0.edit.job)" })
                return .redirect(to: "\(path)/studio#\(edit.job)")
            },
            .post("/sites/{site}/edits", input: .form(limit: Self.promptLimit)) { try await submit($0) },
        ]
    }

    private func page(_ visit: PageVisit, prompt: String? = nil, _ error: ServiceError? = nil) async throws -> Page {
        let principal = try visit.principal
        let view = try await services.sites.find(visit.site, for: principal)
        let bar = SiteBar(view: view, tab: .studio)
        var page = Page(
            "studio", title: "\(view.site.name) · Studio", section: .sites,
            command: "pagewright edit \(view.site.slug) 'Change the headline to \"Fresh bread every morning\"'")
        page.isWide = true
        page.frames = bar.frames
        page.values = try await feed(view, visit)
        page.values["engines"] = engines.map { ["name": $0, "title": EngineName(rawValue: $0)?.choice ?? $0] }
        page.values["prompt"] = prompt ?? ""
        // The version that can be pointed at; a host need not serve it for that.
        if let shown = view.site.preview { page.values["viewPath"] = "\(bar.path)/view/\(shown)/index.html" }
        page.values["canCompare"] =
            bar.isServed && view.site.live != nil && view.site.live != view.site.preview
        if prompt == nil, let again = visit.query["again"].flatMap(JobID.init) {
            let job = try await services.jobs.find(again, for: principal)
            page.values["prompt"] = job.edit?.prompt.text ?? ""
        }
        if prompt == nil, let mend = visit.query["mend"].flatMap(JobID.init) {
            let job = try await services.jobs.find(mend, for: principal)
            page.values["prompt"] = Self.request(toMend: job)
        }
        if prompt == nil, let wish = visit.query["say"] { page.values["prompt"] = String(wish.prefix(2000)) }
        if let notice = try await ReleasePages(services: services).notice(for: visit, view) {
            page.values["notice"] = notice
        }
        if let error {
            page.status = error.status
            page.values["error"] = error.banner
        }
        return page
    }

    /// The talk so far, the oldest first, and how things are.
    private func feed(_ view: SiteView, _ visit: PageVisit) async throws -> [String: Any] {
        let principal = try visit.principal
        let jobs = try await services.jobs.list(
            site: view.site.id.text, state: nil, page: try visit.page(limit: Self.pageSize), for: principal)
        var cards: [[String: Any]] = []
        let typical = Self.typicalDuration(jobs.items.map(\.job))
        for job in jobs.items.reversed() {
            var values = try await card(job, view, principal)
            if let typical { values["typical"] = typical }
            cards.append(values)
        }
        let bar = SiteBar(view: view, tab: .studio)
        let served = view.serving.map { "\($0.host)-\($0.generation)-\($0.state.rawValue)" }.joined(separator: ",")
        var values: [String: Any] = [
            "site": bar.values, "cards": cards, "isEmpty": cards.isEmpty && visit.query["cursor"] == nil,
            "isOlder": visit.query["cursor"] != nil, "served": served,
            "isWorking": jobs.items.contains { !$0.job.isTerminal },
        ]
        if let cursor = jobs.nextCursor { values["older"] = cursor.addingPercents() }
        return values
    }

    /// How long the middle one of the edits that were done took, from asking to the end: `8 s`, `3 min`.
    private static func typicalDuration(_ jobs: [Job]) -> String? {
        let seconds = jobs.filter { $0.made != nil }.map { ($0.updatedAt - $0.createdAt).components.seconds }.sorted()
        guard !seconds.isEmpty else { return nil }
        let middle = max(1, seconds[seconds.count / 2])
        return middle < 120 ? "\(middle) s" : "\(middle / 60) min"
    }

    /// What to ask for so that the checks agree next time.
    private static func request(toMend job: JobView) -> String {
        let errors = job.findings.filter { $0.severity == .error }.prefix(5).map { finding in
            "- " + (finding.path.isEmpty ? "" : "\(finding.path): ") + finding.message
                + (finding.advice.isEmpty ? "" : " \(finding.advice)")
        }
        return "\(job.edit?.prompt.text ?? "")\n\nDo it so that the checks agree:\n" + errors.joined(separator: "\n")
    }

    private func card(_ job: JobView, _ view: SiteView, _ principal: Principal) async throws -> [String: Any] {
        let card = JobCard(view: job)
        var values = card.values
        values["sitePath"] = "/sites/\(view.site.slug)"
        guard let version = card.made, let edit = job.edit else { return values }
        let isPreview = view.site.preview == version
        values["isLive"] = view.site.live == version
        values["isPreview"] = isPreview
        values["canPromote"] = view.site.live != version
        values["canKeep"] = isPreview && view.site.live != version
        values["canDiscard"] = isPreview && edit.base != version && view.site.live != version
        values["canShow"] = !isPreview
        let all = try await services.versions.manifest(version.rawValue, of: view.site.id.text, for: principal).manifest
        let diff = try await services.versions.diff(
            from: edit.base.rawValue, to: version.rawValue, of: view.site.id.text, for: principal)
        values["fileCount"] = "\(diff.files.count) of \(Wording.count(all.entries.count, "file"))"
        values["files"] = diff.files.prefix(Self.filesOnCard).map(FileRow.values)
        if diff.files.count > Self.filesOnCard { values["moreFiles"] = diff.files.count - Self.filesOnCard }
        return values
    }

    private func submit(_ visit: PageVisit) async throws -> PageAnswer {
        let prompt = visit.form["prompt"] ?? ""
        let engine = visit.form.text("engine")
        do {
            let path = visit.sitePath
            let (edit, _) = try await services.edits.submit(
                prompt: prompt, engine: engine.isEmpty ? nil : engine, baseVersion: nil, mode: visit.form["mode"],
                to: visit.site, for: try visit.principal, once: visit.once { "\(path)/studio#\($0.edit.job)" })
            return .redirect(to: "\(path)/studio#\(edit.job)")
        } catch let error as ServiceError where error.code != .internalError && error.field != "site" {
            return .page(try await page(visit, prompt: prompt, error))
        }
    }
}
