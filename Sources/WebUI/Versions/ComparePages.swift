import Coordinator
import Domain

/// What differs between two versions: in words, in looks, in files and lines, and in findings.
struct ComparePages: Sendable {
    private static let filesOnPage = 200

    let services: WebServices

    var routes: [PageRoute] {
        [
            .get("/sites/{site}/compare") { visit in
                let from = try PageVisit.number(visit.query.text("from"))
                let to = try PageVisit.number(visit.query.text("to"))
                return .redirect(to: "\(visit.sitePath)/compare/\(from)/\(to)")
            },
            .get("/sites/{site}/compare/{from}/{to}") { try await compare($0) },
            .get("/sites/{site}/compare/{from}/{to}/looks") { visit in
                .part(
                    "compare-looks",
                    try await looks(from: try visit.number("from"), to: try visit.number("to"), visit))
            },
        ]
    }

    private func compare(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let (from, to) = (try visit.number("from"), try visit.number("to"))
        let view = try await services.sites.find(visit.site, for: principal)
        let before = try await services.versions.find(from, of: visit.site, for: principal)
        let after = try await services.versions.find(to, of: visit.site, for: principal)
        let subject = VersionComparison.Subject.versions(from: from, to: to, site: visit.site)
        let diff = try await services.comparison.files(subject, for: principal)
        let delta = try await services.comparison.delta(from: from, to: to, of: visit.site, for: principal)
        let outline = try await services.comparison.outline(subject, for: principal)
        let texts = try await services.comparison.text(subject, for: principal)
        let looks = try await looks(from: from, to: to, visit)
        let numbers = try await services.versions.list(
            of: visit.site, page: try PageRequest(limit: 100), for: principal
        ).items.map(\.version.number.rawValue)

        let place = "/sites/\(view.site.slug)/versions"
        let known = Dictionary(texts.map { ($0.file.path, $0.content) }, uniquingKeysWith: { $1 })
        let files = diff.files.prefix(Self.filesOnPage).enumerated().map { index, file -> [String: Any] in
            var values = FileRow.values(file)
            values["id"] = "file-\(index + 1)"
            switch (FileKind(file.path).isPicture, known[file.path]) {
            case (true, _):
                let path = file.path.text.addingPercents(keepingSlashes: true)
                values["isPicture"] = true
                if file.before != nil { values["oldURL"] = "\(place)/\(from)/files/\(path)" }
                if file.after != nil { values["newURL"] = "\(place)/\(to)/files/\(path)" }
            case (false, .text(let text)):
                values["lines"] = text.values
                values["added"] = text.added
                values["removed"] = text.removed
                values["isText"] = true
            case (false, .tooLarge): values["tooLarge"] = true
            case (false, .binary), (false, nil): values["isBinary"] = true
            }
            return values
        }
        var page = Page(
            "compare", title: "Version \(from) and version \(to)", section: .sites,
            command: "pagewright diff \(view.site.slug) \(from) \(to) --view outline")
        page.values = [
            "site": SiteBar(view: view, tab: .compare).values, "from": from, "to": to,
            "fromChoices": numbers.map { ["number": $0, "chosen": $0 == from] as [String: Any] },
            "toChoices": numbers.map { ["number": $0, "chosen": $0 == to] as [String: Any] },
            "before": VersionPages.values(before, view, principal),
            "after": VersionPages.values(after, view, principal),
            "files": files, "fileCount": Wording.count(diff.files.count, "file"), "hasFiles": !files.isEmpty,
            "differ": diff.files.count == 1 ? "differs" : "differ", "isSame": diff.files.isEmpty,
            "weight": Wording.change(from: delta.bytesBefore, to: delta.bytesAfter),
            "newFindings": delta.appeared.map(FindingRow.values),
            "goneFindings": delta.vanished.map(FindingRow.values),
            "hasFindingChanges": !delta.appeared.isEmpty || !delta.vanished.isEmpty,
            "outline": outline.map(OutlineRow.values), "hasOutline": !outline.isEmpty,
            "looks": looks, "hasScreens": looks["hasScreens"] as? Bool == true,
        ]
        if diff.files.count > Self.filesOnPage { page.values["moreFiles"] = diff.files.count - Self.filesOnPage }
        return .page(page)
    }

    /// Pictures of the pages that differ, side by side, and what is missing of them.
    private func looks(from: Int, to: Int, _ visit: PageVisit) async throws -> [String: Any] {
        let principal = try visit.principal
        let site = try await services.sites.find(visit.site, for: principal).site
        let screens = try await services.pageChecks.screens(from: from, to: to, of: visit.site, for: principal)
        var missing: [[String: Any]] = []
        for (number, pages) in [(from, screens.absentBefore), (to, screens.absentAfter)] where !pages.isEmpty {
            let view = try await services.pageChecks.find(number, of: visit.site, for: principal)
            let isWaiting = if case .waiting? = view.checks?.state { true } else { false }
            missing.append([
                "number": number, "isWaiting": isWaiting, "action": "/sites/\(site.slug)/versions/\(number)/look",
                "pages": pages.map { ["page": $0.text] }, "names": pages.map(\.text).joined(separator: ", "),
                "from": from, "to": to,
            ])
        }
        let pairs = Screens.pairs(screens, site: "\(site.slug)")
        return [
            "screens": pairs, "missing": missing, "hasMissing": !missing.isEmpty,
            "hasScreens": !pairs.isEmpty || !missing.isEmpty,
        ]
    }
}
