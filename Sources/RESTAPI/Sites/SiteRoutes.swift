import Coordinator
import Domain
import HTTPTypes
import NIOCore

struct SiteRoutes {
    /// What decides how a page of the list looks.
    private struct PageKey: Hashable {
        let user: UserID
        let role: User.Role
        let cursor: String?
        let limit: Int
    }

    let sites: SiteService
    private let pages = JoinedReads<PageKey, ByteBuffer>()

    init(sites: SiteService) { self.sites = sites }

    private static let feature = "Sites"

    var routes: [APIRoute] {
        [templates, list, create, find, update, delete, startMaintenance, endMaintenance, setEngine]
    }

    private var templates: APIRoute {
        APIRoute(
            .get, "/api/v1/templates", "What a new site can start from", feature: Self.feature,
            content: .json(TemplateBody.table.listSchema)
        ) { _ in
            .json(TemplateBody.table.json(sites.listTemplates()))
        }
    }

    private var list: APIRoute {
        APIRoute(
            .get, "/api/v1/sites", "Your sites, newest first; admins see all", feature: Self.feature, query: .paging,
            content: .json(SiteBody.table.pageSchema)
        ) { request in
            let (principal, page) = (try request.principal, try request.page())
            let key = PageKey(user: principal.user, role: principal.role, cursor: page.cursor, limit: page.limit)
            return .written(
                try await pages.read(key) { SiteBody.table.written(try await sites.list(for: principal, page: page)) })
        }
    }

    private var create: APIRoute {
        APIRoute(
            .post, "/api/v1/sites", "Make a site; its version 1 is the template, live at once", feature: Self.feature,
            input: .json(
                .object([
                    .init("slug", .text, "3 to 40 of a-z, 0-9 and single hyphens inside."), .init("name", .text),
                    JSONSchema.optional("template", .text, "One of /api/v1/templates; the first when left out."),
                ])), status: .created, content: .json(SiteBody.table.schema), errors: [.alreadyExists, .storageFull]
        ) { request in
            try await request.once(SiteBody.table.json) {
                try await sites.create(
                    slug: request.body.string("slug"), name: request.body.string("name"),
                    template: request.body.optionalString("template"), for: try request.principal, once: $0)
            }
        }
    }

    private var find: APIRoute {
        APIRoute(
            .get, "/api/v1/sites/{site}", "One site", feature: Self.feature, content: .json(SiteBody.table.schema),
            errors: [.notFound]
        ) { request in
            .json(SiteBody.table.json(try await sites.find(request.parameter("site"), for: try request.principal)))
        }
    }

    private var update: APIRoute {
        APIRoute(
            .patch, "/api/v1/sites/{site}", "Give a site another name, or other rules for addresses",
            feature: Self.feature,
            input: .json(
                .object([
                    JSONSchema.optional("name", .text),
                    JSONSchema.optional(
                        "mode", .words(AddressRules.Mode.allCases.map(\.rawValue)),
                        "spa: addresses without a file show index.html."),
                    JSONSchema.optional(
                        "missing_page", .text, "The page for missing addresses, an HTML file of the site."),
                ])), content: .json(SiteBody.table.schema), errors: [.notFound]
        ) { request in
            let change = SiteChange(
                name: request.body.optionalString("name"), mode: try Self.mode(request.body.optionalString("mode")),
                missingPage: request.body.optionalString("missing_page"))
            return try await request.once(SiteBody.table.json) {
                try await sites.update(
                    request.parameter("site"), change, for: try request.principal, once: $0)
            }
        }
    }

    private static func mode(_ word: String?) throws -> AddressRules.Mode? {
        guard let word else { return nil }
        guard let mode = AddressRules.Mode(rawValue: word) else {
            throw ServiceError(
                .invalidArgument, "the mode is pages or spa", field: "mode", rule: "address-mode")
        }
        return mode
    }

    private var delete: APIRoute {
        APIRoute(
            .delete, "/api/v1/sites/{site}", "Delete a site and take it off every host", feature: Self.feature,
            status: .noContent, content: .none, errors: [.notFound]
        ) { request in
            try await request.once {
                try await sites.delete(request.parameter("site"), for: try request.principal, once: $0)
            }
        }
    }

    private var startMaintenance: APIRoute {
        APIRoute(
            .put, "/api/v1/sites/{site}/maintenance", "Show visitors that the site is being worked on",
            feature: Self.feature,
            input: .json(.object([JSONSchema.optional("message", .text, "At most 500 characters of plain text.")])),
            content: .json(SiteBody.table.schema), errors: [.notFound]
        ) { request in
            try await request.once(SiteBody.table.json) {
                try await sites.setMaintenance(
                    request.body.optionalString("message"), on: request.parameter("site"), for: try request.principal,
                    once: $0)
            }
        }
    }

    private var setEngine: APIRoute {
        APIRoute(
            .put, "/api/v1/sites/{site}/engine", "Choose what edits a site when an edit does not say",
            feature: Self.feature,
            input: .json(
                .object([
                    JSONSchema.optional(
                        "engine", .words(EngineName.allCases.map(\.rawValue)),
                        "Left out or null: the installation's choice.")
                ])), content: .json(SiteBody.table.schema), errors: [.notFound]
        ) { request in
            try await request.once(SiteBody.table.json) {
                try await sites.setEngine(
                    request.body.optionalString("engine"), of: request.parameter("site"), for: try request.principal,
                    once: $0)
            }
        }
    }

    private var endMaintenance: APIRoute {
        APIRoute(
            .delete, "/api/v1/sites/{site}/maintenance", "Show visitors the site again", feature: Self.feature,
            content: .json(SiteBody.table.schema), errors: [.notFound]
        ) { request in
            try await request.once(SiteBody.table.json) {
                try await sites.clearMaintenance(
                    on: request.parameter("site"), for: try request.principal, once: $0)
            }
        }
    }
}
