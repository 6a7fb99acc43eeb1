import Coordinator
import Domain

/// Moving the two pointers of a site, and saying what came of it.
struct ReleasePages: Sendable {
    /// How many changed pages the sheet describes.
    private static let pagesOnSheet = 8

    let services: WebServices

    var routes: [PageRoute] {
        [
            .get("/sites/{site}/promote/{version}") { try await sheet($0) },
            .post("/sites/{site}/promote") { visit in
                let version = try PageVisit.number(visit.form.text("version"))
                let place = place(visit, done: "promoted", version)
                do {
                    if visit.form["accept"] == "yes" { try await accept(version, visit) }
                    _ = try await services.releases.promote(
                        version, on: visit.site, for: try visit.principal, once: visit.once { _ in place })
                } catch let error as ServiceError where error.rule == "already-live" {
                    // From another tab.
                }
                return .redirect(to: place)
            },
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

    /// What changes for visitors when a version is promoted.
    private func sheet(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let view = try await services.sites.find(visit.site, for: principal)
        let version = try await services.versions.find(try visit.number("version"), of: visit.site, for: principal)
        let number = version.version.number
        var page = Page(
            "promote", title: "Promote version \(number)", section: .sites,
            command: "pagewright promote \(view.site.slug) \(number)")
        page.values = [
            "site": SiteBar(view: view, tab: .versions).values, "version": number.rawValue,
            "summary": version.version.summary, "isLive": version.isLive,
            // What must not be overlooked comes first.
            "findings": version.version.findings.sorted { $0.severity == .error && $1.severity != .error }.map(
                FindingRow.values),
            "hasFindings": !version.version.findings.isEmpty, "isKept": !version.version.openFindings.isEmpty,
            "hosts": view.serving.map(Self.host),
            "hasHosts": !view.serving.isEmpty, "back": Self.place(visit.query["back"]),
        ]
        if let live = view.site.live, live != number {
            let diff = try await services.versions.diff(
                from: live.rawValue, to: number.rawValue, of: visit.site, for: principal)
            page.values["files"] = diff.files.prefix(50).map(FileRow.values)
            page.values["fileCount"] = Wording.count(diff.files.count, "file")
            page.values["differ"] = diff.files.count == 1 ? "differs" : "differ"
            page.values["live"] = live.rawValue
            let subject = VersionComparison.Subject.versions(from: live.rawValue, to: number.rawValue, site: visit.site)
            let outline = try await services.comparison.outline(subject, for: principal)
            page.values["outline"] = outline.prefix(Self.pagesOnSheet).map(OutlineRow.values)
            page.values["hasOutline"] = !outline.isEmpty
            if outline.count > Self.pagesOnSheet { page.values["moreOutline"] = outline.count - Self.pagesOnSheet }
        }
        return .page(page)
    }

    /// Accepts what a browser found worse than in the version before.
    private func accept(_ version: Int, _ visit: PageVisit) async throws {
        let principal = try visit.principal
        let open = try await services.versions.find(version, of: visit.site, for: principal).version.openFindings
        guard !open.isEmpty else { return }
        _ = try await services.versionAcceptance.accept(
            open.map { FindingReference(rule: $0.rule, path: $0.path) }, of: version, on: visit.site, for: principal)
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
