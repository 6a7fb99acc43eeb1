import Coordinator
import Domain

/// The sites of somebody, as cards.
struct SitePages: Sendable {
    private static let pageSize = 24
    /// How many sites a search looks through.
    private static let searchLimit = 2000

    let services: WebServices

    var routes: [PageRoute] {
        [
            .get("/sites") { try await list($0) },
            .get("/sites/{site}") { visit in
                let view = try await services.sites.find(visit.site, for: try visit.principal)
                return .redirect(to: "/sites/\(view.site.slug)/studio")
            },
        ]
    }

    private func list(_ visit: PageVisit) async throws -> PageAnswer {
        let query = visit.query.text("q")
        let found = try await search(query, visit)
        var page = Page("sites", title: "Sites", section: .sites, command: "pagewright sites")
        page.values = [
            "cards": found.items.map(Self.card), "isSearch": !query.isEmpty, "query": query,
            "isEmpty": found.items.isEmpty && query.isEmpty && visit.query["cursor"] == nil,
            "foundNothing": found.items.isEmpty && !query.isEmpty,
            "hasSites": !found.items.isEmpty || !query.isEmpty,
        ]
        if let cursor = found.nextCursor { page.values["more"] = cursor.addingPercents() }
        if visit.query["done"] == "deleted" { page.values["notice"] = ["text": "The site is deleted."] }
        page.frames = found.items.flatMap { SiteBar(view: $0, tab: .studio).frames }
        return .page(page)
    }

    private func search(_ query: String, _ visit: PageVisit) async throws -> Domain.Page<SiteView> {
        let principal = try visit.principal
        guard !query.isEmpty else {
            return try await services.sites.list(for: principal, page: try visit.page(limit: Self.pageSize))
        }
        let word = query.lowercased()
        var found: [SiteView] = []
        var seen = 0
        var cursor: String?
        repeat {
            let page = try await services.sites.list(for: principal, page: try PageRequest(cursor: cursor, limit: 200))
            found += page.items.filter {
                $0.site.name.lowercased().contains(word) || $0.site.slug.text.contains(word)
                    || $0.domains.contains { $0.text.contains(word) }
            }
            seen += page.items.count
            cursor = page.nextCursor
        } while cursor != nil && seen < Self.searchLimit && found.count < Self.pageSize
        return Domain.Page(items: Array(found.prefix(Self.pageSize)), nextCursor: nil)
    }

    private static func card(_ view: SiteView) -> [String: Any] {
        var values = SiteBar(view: view, tab: .studio).values
        values["created"] = Wording.time(view.site.createdAt)
        values["domains"] = view.domains.prefix(2).map(\.text)
        return values
    }
}
