import Artifacts
import Coordinator
import Domain

/// What differs between two versions: files, text, pictures and findings.
struct ComparePages: Sendable {
    private static let filesOnPage = 200
    /// How many files are compared line by line, and up to which size each.
    private static let textFiles = 40
    private static let textLimit = 200 << 10

    let services: WebServices

    var routes: [PageRoute] {
        [
            .get("/sites/{site}/compare") { visit in
                let from = try PageVisit.number(visit.query.text("from"))
                let to = try PageVisit.number(visit.query.text("to"))
                return .redirect(to: "\(visit.sitePath)/compare/\(from)/\(to)")
            },
            .get("/sites/{site}/compare/{from}/{to}") { try await compare($0) },
        ]
    }

    private func compare(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let (from, to) = (try visit.number("from"), try visit.number("to"))
        let view = try await services.sites.find(visit.site, for: principal)
        let before = try await services.versions.find(from, of: visit.site, for: principal)
        let after = try await services.versions.find(to, of: visit.site, for: principal)
        let diff = try await services.versions.diff(from: from, to: to, of: visit.site, for: principal)
        let numbers = try await services.versions.list(
            of: visit.site, page: try PageRequest(limit: 100), for: principal
        ).items.map(\.version.number.rawValue)

        var files: [[String: Any]] = []
        var budget = Self.textFiles
        for file in diff.files.prefix(Self.filesOnPage) {
            var values = FileRow.values(file)
            values["id"] = "file-\(files.count + 1)"
            if FileKind(file.path).isPicture {
                let path = file.path.text.addingPercents(keepingSlashes: true)
                let place = "/sites/\(view.site.slug)/versions"
                values["isPicture"] = true
                if file.before != nil { values["oldURL"] = "\(place)/\(from)/files/\(path)" }
                if file.after != nil { values["newURL"] = "\(place)/\(to)/files/\(path)" }
            } else if FileKind(file.path).isText, budget > 0 {
                budget -= 1
                if let text = try await textDiff(file, from, to, visit.site, principal) {
                    values["lines"] = text.values
                    values["added"] = text.added
                    values["removed"] = text.removed
                    values["isText"] = true
                } else {
                    values["tooLarge"] = true
                }
            } else {
                values["isBinary"] = true
            }
            files.append(values)
        }
        var page = Page(
            "compare", title: "Version \(from) and version \(to)", section: .sites,
            command: "pagewright diff \(view.site.slug) \(from) \(to)")
        let old = Set(before.version.findings.map(\.key))
        let new = Set(after.version.findings.map(\.key))
        page.values = [
            "site": SiteBar(view: view, tab: .compare).values, "from": from, "to": to,
            "fromChoices": numbers.map { ["number": $0, "chosen": $0 == from] as [String: Any] },
            "toChoices": numbers.map { ["number": $0, "chosen": $0 == to] as [String: Any] },
            "before": VersionPages.values(before, view, principal),
            "after": VersionPages.values(after, view, principal),
            "files": files, "fileCount": Wording.count(diff.files.count, "file"),
            "differ": diff.files.count == 1 ? "differs" : "differ", "isSame": diff.files.isEmpty,
            "newFindings": after.version.findings.filter { !old.contains($0.key) }.map(FindingRow.values),
            "goneFindings": before.version.findings.filter { !new.contains($0.key) }.map(FindingRow.values),
            "hasFindingChanges": old != new,
        ]
        if diff.files.count > Self.filesOnPage { page.values["moreFiles"] = diff.files.count - Self.filesOnPage }
        return .page(page)
    }

    /// `nil` when the file is too large, or not text.
    private func textDiff(
        _ file: ManifestDiff.File, _ from: Int, _ to: Int, _ site: String, _ principal: Principal
    ) async throws -> TextDiff? {
        let sizes = [file.before, file.after].compactMap { $0?.sizeInBytes }
        guard sizes.allSatisfy({ $0 <= Self.textLimit }),
            let before = try await text(file.before, from, site, principal),
            let after = try await text(file.after, to, site, principal)
        else { return nil }
        return TextDiff(from: before, to: after)
    }

    private func text(
        _ entry: Manifest.Entry?, _ version: Int, _ site: String, _ principal: Principal
    ) async throws -> String? {
        guard let entry else { return "" }
        let (_, store) = try await services.versions.file(
            path: entry.path.text, version: version, of: site, for: principal)
        return String(validating: try await store.read(entry.digest, limit: Self.textLimit), as: UTF8.self)
    }
}
