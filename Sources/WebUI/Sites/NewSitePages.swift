import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Starting a site: from a template that one can look at, or from files of one's own.
struct NewSitePages: Sendable {
    private static let types = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
    ]

    let services: WebServices
    let forms: UploadForm

    var routes: [PageRoute] {
        [
            .get("/sites/new") { visit in .page(page(visit, slug: "", name: "", template: nil)) },
            .post("/sites/new") { try await create($0) },
            .post("/sites/upload", input: .upload) { try await upload($0) },
            .get("/templates/{template}/{path}", access: .anyone) { try file($0) },
        ]
    }

    private func page(
        _ visit: PageVisit, slug: String, name: String, template: String?, _ error: ServiceError? = nil,
        isUpload: Bool = false
    ) -> Page {
        let templates = services.sites.listTemplates()
        let chosen = template ?? templates.first?.name
        var page = Page(
            "new-site", title: "New site", section: .sites,
            command: "pagewright sites create bakery --template \(templates.first?.name ?? "bakery")")
        page.values = [
            "templates": templates.map { template -> [String: Any] in
                [
                    "name": template.name, "title": template.title, "description": template.description,
                    "chosen": template.name == chosen,
                    "pages": Wording.count(
                        template.files.count { $0.path.hasSuffix(".html") && $0.path != "404.html" }, "page"),
                ]
            }, "slug": slug, "name": name,
        ]
        if let error {
            page.status = error.status
            page.values[isUpload ? "uploadError" : "error"] = error.banner
            if let field = error.field { page.values["wrong_" + field] = true }
        }
        return page
    }

    private func create(_ visit: PageVisit) async throws -> PageAnswer {
        let slug = visit.form.text("slug")
        let name = visit.form.text("name")
        let template = visit.form["template"]
        do {
            let view = try await services.sites.create(
                slug: slug, name: name.isEmpty ? slug : name, template: template, for: try visit.principal,
                once: visit.once { "/sites/\($0.site.slug)/studio" })
            return .redirect(to: "/sites/\(view.site.slug)/studio")
        } catch let error as ServiceError where error.code != .internalError {
            return .page(page(visit, slug: slug, name: name, template: template, error))
        }
    }

    /// Makes the site and puts the archive into it. When the archive is refused, the site stays with the first
    /// template, and the page says so.
    private func upload(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let cookie = SessionCookies(visit.request).csrf
        return try await forms.withFile(of: visit.request) { fields in
            try FormGuard.check(fields["csrf"], against: cookie)
        } _: { fields, file in
            let slug = fields.text("slug")
            let name = fields.text("name")
            do {
                guard let file else {
                    throw ServiceError(
                        .invalidArgument, "no archive was chosen", field: "archive",
                        nextStep: "Choose a .zip, .tar or .tar.gz with an index.html in it.")
                }
                let view = try await services.sites.create(
                    slug: slug, name: name.isEmpty ? slug : name, template: nil, for: principal)
                do {
                    _ = try await services.versions.importArchive(
                        at: file, into: view.site.id.text, promote: true, for: principal)
                } catch let error as ServiceError where error.code != .internalError {
                    return .page(
                        try await SettingsPages(services: services, forms: forms).page(
                            view.site.slug.text, principal, uploadError: error,
                            notice: "The site was made from a template, because the archive was refused."))
                }
                return .redirect(to: "/sites/\(view.site.slug)/studio")
            } catch let error as ServiceError where error.code != .internalError {
                return .page(page(visit, slug: slug, name: name, template: nil, error, isUpload: true))
            }
        }
    }

    /// A file of a template, for the gallery. Templates come with the program and are the same for everybody.
    private func file(_ visit: PageVisit) throws -> PageAnswer {
        let template = services.sites.listTemplates().first { $0.name == visit.parameter("template") }
        let path = visit.parameter("path")
        let type = path.split(separator: ".").last.flatMap { Self.types[String($0)] }
        guard let type, let file = template?.files.first(where: { $0.path == path }) else {
            throw ServiceError(.notFound, "the template has no such file", field: "path")
        }
        var headers: HTTPFields = [
            .contentType: type, .cacheControl: "private, max-age=3600",
            .contentSecurityPolicy: "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'self'",
        ]
        if let name = HTTPField.Name("X-Frame-Options") { headers[name] = "SAMEORIGIN" }
        // The frame of the gallery has an origin of its own.
        if let name = HTTPField.Name("Cross-Origin-Resource-Policy") { headers[name] = "cross-origin" }
        return .response(
            Response(
                status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes))))
    }
}
