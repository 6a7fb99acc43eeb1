import Coordinator
import Domain

/// Moving the two pointers of a site, and saying what came of it.
struct ReleasePages: Sendable {
    /// How many changed pages the sheet describes.
    private static let pagesOnSheet = 8
    /// The names of 200 findings, about pages with long names, fit in.
    private static let promotionLimit = 1 << 20

    let services: WebServices

    var routes: [PageRoute] {
        [
            .get("/sites/{site}/promote/{version}") { visit in
                .page(try await sheet(visit, of: try visit.number("version"), back: visit.query["back"]))
            },
            .get("/sites/{site}/promote/{version}/state/{back}") { visit in
                let view = try await services.sites.find(visit.site, for: try visit.principal)
                let look = try await look(visit, at: try visit.number("version"))
                return .part("promote-state", Self.state(view, look, back: visit.parameter("back")))
            },
            .post("/sites/{site}/promote", input: .form(limit: Self.promotionLimit)) { try await promote($0) },
            .post("/sites/{site}/rollback") { visit in
                let text = visit.form.text("version")
                let wanted = text.isEmpty ? nil : try PageVisit.number(text)
                do {
                    let release = try await services.releases.rollBack(
                        on: visit.site, to: wanted, for: try visit.principal,
                        once: visit.once { place(visit, done: "rolled-back", $0.version.rawValue) })
                    return .redirect(to: place(visit, done: "rolled-back", release.version.rawValue))
                } catch let error as ServiceError where error.rule == "already-live" {
                    return .redirect(to: place(visit, done: "rolled-back", wanted ?? 0))
                }
            },
            .post("/sites/{site}/preview") { visit in
                let version = try PageVisit.number(visit.form.text("version"))
                let place = place(visit, done: visit.form["discard"] == nil ? "preview" : "discarded", version)
                _ = try await services.releases.setPreview(
                    version, on: visit.site, for: try visit.principal, once: visit.once { _ in place })
                return .redirect(to: place)
            },
        ]
    }

    private func promote(_ visit: PageVisit) async throws -> PageAnswer {
        let version = try PageVisit.number(visit.form.text("version"))
        let place = place(visit, done: "promoted", version)
        do {
            if visit.form["accept"] == "yes" { try await accept(version, visit) }
            _ = try await services.releases.promote(
                version, on: visit.site, unchecked: visit.form["unchecked"] == "yes", for: try visit.principal,
                once: visit.once { _ in place })
        } catch let error as ServiceError where error.rule == "already-live" {
            // From another tab.
        } catch let error as ServiceError where error.rule == "checks-running" || error.rule == "findings-open" {
            // What the sheet asks about is not what it asked about before, or nobody saw the sheet.
            return .page(try await sheet(visit, of: version, back: visit.form["back"], error))
        }
        return .redirect(to: place)
    }

    private func look(_ visit: PageVisit, at version: Int) async throws -> PageCheckService.View {
        try await services.pageChecks.find(version, of: visit.site, for: try visit.principal)
    }

    /// What changes for visitors when a version is promoted.
    private func sheet(
        _ visit: PageVisit, of number: Int, back: String?, _ error: ServiceError? = nil
    ) async throws -> Page {
        let principal = try visit.principal
        let view = try await services.sites.find(visit.site, for: principal)
        let look = try await look(visit, at: number)
        var page = Page(
            "promote", title: "Promote version \(number)", section: .sites,
            command: "pagewright promote \(view.site.slug) \(number)")
        page.values = Self.state(view, look, back: back)
        page.values["site"] = SiteBar(view: view, tab: .versions).values
        page.values["summary"] = look.version.summary
        if let live = view.site.live, live != look.version.number {
            let diff = try await services.versions.diff(
                from: live.rawValue, to: number, of: visit.site, for: principal)
            page.values["files"] = diff.files.prefix(50).map(FileRow.values)
            page.values["fileCount"] = Wording.count(diff.files.count, "file")
            page.values["differ"] = diff.files.count == 1 ? "differs" : "differ"
            page.values["live"] = live.rawValue
            let subject = VersionComparison.Subject.versions(from: live.rawValue, to: number, site: visit.site)
            let outline = try await services.comparison.outline(subject, for: principal)
            page.values["outline"] = outline.prefix(Self.pagesOnSheet).map(OutlineRow.values)
            page.values["hasOutline"] = !outline.isEmpty
            if outline.count > Self.pagesOnSheet { page.values["moreOutline"] = outline.count - Self.pagesOnSheet }
        }
        if let error {
            page.status = error.status
            var banner = error.banner
            // The sheet has a box for it.
            banner["nextStep"] = nil
            page.values["error"] = banner
        }
        return page
    }

    /// What may change while somebody reads the sheet: what the checks say, where the hosts are, what there is to tick.
    private static func state(_ view: SiteView, _ look: PageCheckService.View, back: String?) -> [String: Any] {
        let version = look.version
        // What must not be overlooked comes first.
        let findings = version.findings.sorted { $0.severity == .error && $1.severity != .error }
        var values: [String: Any] = [
            "path": "/sites/\(view.site.slug)", "version": version.number.rawValue, "back": place(back),
            "isLive": view.site.live == version.number, "findings": findings.map(FindingRow.values),
            "hasFindings": !findings.isEmpty, "isKept": !version.openFindings.isEmpty,
            "kept": version.openFindings.map { ["name": FindingReference(to: $0).description] },
            "hosts": view.serving.map(host), "hasHosts": !view.serving.isEmpty,
        ]
        if let until = look.awaitedUntil { values["looking"] = Wording.time(until) }
        return values
    }

    /// Accepts what a browser found worse than in the version before, of what the sheet showed. What came after it was
    /// drawn nobody saw: it goes on keeping the version back.
    private func accept(_ version: Int, _ visit: PageVisit) async throws {
        let open = try await look(visit, at: version).version.openFindings.map { FindingReference(to: $0) }
        let shown = visit.form.all("finding")
        // Several findings can have one name; the sheet names each of them.
        let accepted = Set(open).filter { name in
            open.count { $0 == name } <= shown.count { $0 == name.description }
        }
        guard !accepted.isEmpty else { return }
        _ = try await services.versionAcceptance.accept(
            accepted.sorted { $0.description < $1.description }, of: version, on: visit.site,
            for: try visit.principal)
    }

    /// The sentence about what was just done, when the address says that something was.
    func notice(for visit: PageVisit, _ view: SiteView) async throws -> [String: Any]? {
        let version = visit.query["version"].flatMap { Int($0) }.map(String.init) ?? ""
        let applied = view.serving.count { $0.state == .applied }
        let hosts = Wording.count(view.serving.count, "host")
        let state =
            if view.serving.isEmpty {
                "No host serves it yet."
            } else if applied == view.serving.count {
                "It is live on \(applied) of \(hosts)."
            } else if applied == 0 {
                "No host has confirmed it yet."
            } else {
                "\(applied) of \(hosts) have it so far."
            }
        switch visit.query["done"] {
        case "promoted":
            guard view.site.live.map({ $0.description }) == version else { return nil }
            return [
                "text": "Version \(version) is the one for visitors now. \(state)",
                "canUndo": view.site.previous != nil, "path": "/sites/\(view.site.slug)",
            ]
        case "rolled-back":
            return ["text": "Visitors get version \(view.site.live?.description ?? version) again. \(state)"]
        case "kept":
            return ["text": "Version \(version) stays in the preview. Visitors see it once you promote it."]
        case "accepted":
            return [
                "text": "The change is version \(version) and in the preview. That you allowed it is in the audit log."
            ]
        case "preview": return ["text": "The preview shows version \(version)."]
        case "discarded":
            return [
                "text":
                    "The preview is back at version \(version). Nothing is lost: the change is still among the versions."
            ]
        case "written":
            return ["text": "Your text is in version \(version), which is in the preview."]
        case "uploaded":
            return ["text": "Your files are version \(version) and in the preview. Promote it when it looks right."]
        default: return nil
        }
    }

    private func place(_ visit: PageVisit, done: String, _ version: Int) -> String {
        "\(visit.sitePath)/\(Self.place(visit.form["back"]))?done=\(done)&version=\(version)"
    }

    private static func place(_ word: String?) -> String { word == "versions" ? "versions" : "studio" }

    private static func host(_ serving: ServingView) -> [String: Any] {
        var values: [String: Any] = ["name": serving.hostName, "updated": Wording.time(serving.updatedAt)]
        switch serving.state {
        case .applied: values["ok"] = "Up to date"
        case .pending: values["busy"] = "Catching up"
        case .refused: values["danger"] = "Refused: \(serving.error ?? "no reason given")"
        }
        return values
    }
}
