import Coordinator
import Domain

/// The sites of somebody, as cards.
struct SitePages: Sendable {
    private static let pageSize = 24

    let services: WebServices

    var routes: [PageRoute] {
        [
            .get("/sites") { try await list($0) },
            .get("/sites/found") { visit in
                let found = try await services.sites.list(
                    for: try visit.principal, matching: visit.query.text("q"), page: try PageRequest(limit: 8))
                return .part(
                    "found-sites",
                    ["sites": found.items.map { ["name": $0.site.name, "path": "/sites/\($0.site.slug)/studio"] }])
            },
            .get("/sites/{site}") { visit in
                let view = try await services.sites.find(visit.site, for: try visit.principal)
                return .redirect(to: "/sites/\(view.site.slug)/studio")
            },
        ]
    }

    private func list(_ visit: PageVisit) async throws -> PageAnswer {
        let query = visit.query.text("q")
        let found = try await services.sites.list(
            for: try visit.principal, matching: query, page: try visit.page(limit: Self.pageSize))
        let thumbnails = try await services.pageChecks.thumbnails(of: found.items, for: try visit.principal)
        var page = Page("sites", title: "Sites", section: .sites, command: "pagewright sites")
        page.values = [
            "cards": found.items.map { Self.card($0, thumbnail: thumbnails[$0.site.id]) },
            "isSearch": !query.isEmpty, "query": query,
            "isEmpty": found.items.isEmpty && query.isEmpty && visit.query["cursor"] == nil,
            "foundNothing": found.items.isEmpty && !query.isEmpty,
            "hasSites": !found.items.isEmpty || !query.isEmpty,
        ]
        if let cursor = found.nextCursor {
            page.values["more"] = FormFields([("q", query), ("cursor", cursor)]).encoded
        }
        if visit.query["done"] == "deleted" { page.values["notice"] = ["text": "The site is deleted."] }
        page.frames = found.items.flatMap { SiteBar(view: $0, tab: .studio).frames }
        return .page(page)
    }

    private static func card(_ view: SiteView, thumbnail: ContentDigest?) -> [String: Any] {
        var values = SiteBar(view: view, tab: .studio).values
        values["initial"] = view.site.name.prefix(1).uppercased()
        values["changed"] = Wording.time(view.changedAt ?? view.site.createdAt)
        if let live = view.site.live, let preview = view.site.preview, preview > live {
            values["unreleased"] = Wording.count(preview.rawValue - live.rawValue, "unreleased change")
        } else if view.site.live != view.site.preview {
            values["unreleased"] = "The preview differs"
        }
        if let thumbnail, let live = view.site.live {
            values["thumbnail"] = "/sites/\(view.site.slug)/versions/\(live)/screenshots/\(thumbnail)"
        }
        values["domains"] = view.domains.prefix(2).map(\.text)
        return values
    }
}
