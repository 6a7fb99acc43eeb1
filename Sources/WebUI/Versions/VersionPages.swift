import Artifacts
import Coordinator
import Domain
import HTTPBodies
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// The versions of a site in the order of time, and each of them.
struct VersionPages: Sendable {
    private static let pageSize = 30
    private static let filesOnPage = 500

    let services: WebServices

    var routes: [PageRoute] {
        let path = "/sites/{site}/versions"
        return [
            .get(path) { try await list($0) },
            .get(path + "/{version}") { try await show($0) },
            .post(path + "/{version}/label") { try await label($0) },
            .get(path + "/{version}/manifest") { try await manifest($0) },
            .get(path + "/{version}/archive") { try await archive($0) },
            .get(path + "/{version}/files/{path}") { try await file($0) },
        ]
    }

    private func list(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let view = try await services.sites.find(visit.site, for: principal)
        let versions = try await services.versions.list(
            of: visit.site, page: try visit.page(limit: Self.pageSize), for: principal)
        let releases = try await services.releases.list(
            of: visit.site, page: try PageRequest(limit: 200), for: principal)
        let pinned =
            visit.query["cursor"] == nil ? try await services.versions.pinned(of: visit.site, for: principal) : []
        let timeline = try await services.versions.timeline(
            of: versions.items + pinned, site: visit.site, for: principal)
        var page = Page(
            "versions", title: "Versions of \(view.site.name)", section: .sites,
            command: "pagewright versions \(view.site.slug)")
        page.values = [
            "site": SiteBar(view: view, tab: .versions).values,
            "versions": versions.items.map { version -> [String: Any] in
                var values = Self.values(version, view, principal, timeline)
                if let release = releases.items.first(where: { $0.version == version.version.number }) {
                    values["released"] = ["number": release.number, "at": Wording.time(release.releasedAt)]
                }
                return values
            },
            "canRollBack": view.site.previous != nil, "hasPictures": !timeline.thumbnails.isEmpty,
        ]
        if let previous = view.site.previous { page.values["previous"] = previous.rawValue }
        page.values["pinned"] = pinned.map { Self.values($0, view, principal, timeline) }
        page.values["hasPinned"] = !pinned.isEmpty
        if let cursor = versions.nextCursor { page.values["more"] = cursor.addingPercents() }
        if let notice = try await ReleasePages(services: services).notice(for: visit, view) {
            page.values["notice"] = notice
        }
        return .page(page)
    }

    private func show(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let number = try visit.number("version")
        let view = try await services.sites.find(visit.site, for: principal)
        let version = try await services.versions.find(number, of: visit.site, for: principal)
        let manifest = try await services.versions.manifest(number, of: visit.site, for: principal).manifest
        var page = Page(
            "version", title: "Version \(number) of \(view.site.name)", section: .sites,
            command: "pagewright export \(view.site.slug) \(number) -o \(view.site.slug)-v\(number).tar.gz")
        let timeline = try await services.versions.timeline(of: [version], site: visit.site, for: principal)
        page.values = Self.values(version, view, principal, timeline)
        page.values["site"] = SiteBar(view: view, tab: .versions).values
        page.values["digest"] = version.version.digest.text
        let looked = try await CheckPages(services: services).find(visit)
        page.values["checks"] = CheckPages.values(looked)
        // A browser's findings stand beside its pictures.
        let others = version.version.findings.filter { !PageChecks.rules.contains($0.rule) }
        page.values["findings"] = others.map(FindingRow.values)
        page.values["hasFindings"] = !others.isEmpty
        if visit.query["done"] == "labelled" { page.values["notice"] = ["text": "It is saved."] }
        page.values["holders"] = view.serving.map { serving -> [String: Any] in
            ["name": serving.hostName, "isApplied": serving.state == .applied]
        }
        page.values["hasHolders"] = (version.isLive || version.isPreview) && !view.serving.isEmpty
        page.values["signature"] = Hexadecimal.text(of: version.version.signature)
        page.values["isSigned"] = !version.version.signature.isEmpty
        page.values["files"] = manifest.entries.prefix(Self.filesOnPage).map { entry -> [String: Any] in
            [
                "path": entry.path.text, "size": Wording.size(entry.sizeInBytes), "sha": entry.digest.abbreviated,
                "url": "/sites/\(view.site.slug)/versions/\(number)/files/"
                    + entry.path.text.addingPercents(keepingSlashes: true),
            ]
        }
        if manifest.entries.count > Self.filesOnPage {
            page.values["moreFiles"] = manifest.entries.count - Self.filesOnPage
        }
        return .page(page)
    }

    private func label(_ visit: PageVisit) async throws -> PageAnswer {
        let number = try visit.number("version")
        let place =
            visit.form["back"] == "versions"
            ? "\(visit.sitePath)/versions" : "\(visit.sitePath)/versions/\(number)?done=labelled"
        _ = try await services.versions.label(
            number, of: visit.site, name: visit.form["name"], isPinned: visit.form["pinned"].map { $0 == "yes" },
            for: try visit.principal, once: visit.once { _ in place })
        return .redirect(to: place)
    }

    static func values(
        _ version: VersionView, _ view: SiteView, _ principal: Principal, _ timeline: VersionTimeline? = nil
    ) -> [String: Any] {
        let number = version.version.number
        let author = version.version.author
        var values: [String: Any] = [
            "number": number.rawValue, "summary": version.version.summary, "isLive": version.isLive,
            "isPreview": version.isPreview, "created": Wording.time(version.version.createdAt),
            "size": Wording.size(version.version.totalSizeInBytes),
            "fileCount": Wording.count(version.version.files, "file"), "path": "/sites/\(view.site.slug)",
            "author": author == principal.user ? "you" : timeline?.authors[author] ?? author.text,
            "hasFindings": !version.version.findings.isEmpty,
            "findings": version.version.findings.map(FindingRow.values),
            "findingCount": Wording.count(version.version.findings.count, "finding"),
            "canPromote": !version.isLive, "canShow": !version.isPreview, "label": version.label.name,
            "hasLabel": !version.label.name.isEmpty, "isPinned": version.label.isPinned,
        ]
        if let parent = version.version.parent { values["parent"] = parent.rawValue }
        switch version.version.origin {
        case .template(let name): values["how"] = "from the template \(name)"
        case .upload: values["how"] = "by hand"
        case .edit(_, let job, let engine):
            values["how"] = "with \(engine.phrase)"
            values["job"] = job.text
        }
        if let prompt = timeline?.prompts[number] { values["prompt"] = prompt }
        if let picture = timeline?.thumbnails[number] {
            values["thumbnail"] = "/sites/\(view.site.slug)/versions/\(number)/screenshots/\(picture)"
        }
        return values
    }

    /// The manifest as its digest was computed: the same bytes.
    private func manifest(_ visit: PageVisit) async throws -> PageAnswer {
        let (_, manifest) = try await services.versions.manifest(
            try visit.number("version"), of: visit.site, for: try visit.principal)
        return .response(
            Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "private, no-cache"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: manifest.canonicalBytes))))
    }

    private func archive(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let number = try visit.number("version")
        let site = try await services.sites.find(visit.site, for: principal).site
        _ = try await services.versions.find(number, of: site.id.text, for: principal)
        var headers: HTTPFields = [.contentType: "application/gzip", .cacheControl: "no-store"]
        if let name = HTTPField.Name("Content-Disposition") {
            headers[name] = "attachment; filename=\"\(site.slug)-v\(number).tar.gz\""
        }
        return .response(
            Response(
                status: .ok, headers: headers,
                body: .pieces { [services] send in
                    try await services.versions.writeArchive(number, of: site.id.text, for: principal, to: send)
                }))
    }

    /// One file as a download; no browser runs it on this address. Pictures can be shown in a page.
    private func file(_ visit: PageVisit) async throws -> PageAnswer {
        let (entry, store) = try await services.versions.file(
            path: visit.parameter("path"), version: try visit.number("version"), of: visit.site,
            for: try visit.principal)
        var headers: HTTPFields = [
            .contentType: FileKind(entry.path).mediaType, .cacheControl: "private, no-cache",
            .contentSecurityPolicy: "sandbox; default-src 'none'; frame-ancestors 'none'",
        ]
        if let name = HTTPField.Name("Content-Disposition") {
            headers[name] = "attachment; filename*=UTF-8''\(entry.path.name.addingPercents())"
        }
        return .response(
            Response(
                status: .ok, headers: headers,
                body: .pieces(contentLength: Int(entry.sizeInBytes)) { send in
                    try await store.forEachPiece(of: entry.digest, ofAtMost: 256 << 10, send)
                }))
    }
}
