import Coordinator
import Domain
import HTTPTypes

/// Name, files, domains, maintenance and the end of a site.
struct SettingsPages: Sendable {
    let services: WebServices
    let forms: UploadForm

    private static let notices = [
        "renamed": "The name is changed.", "domain": "The domain is added.", "domain-removed": "The domain is removed.",
        "maintenance": "Visitors see the maintenance page as soon as the hosts have it.",
        "maintenance-off": "Visitors see the site again as soon as the hosts have it.",
    ]

    var routes: [PageRoute] {
        let path = "/sites/{site}/settings"
        return [
            .get(path) { visit in
                let notice = visit.query["done"].flatMap { Self.notices[$0] }
                return .page(try await page(visit.site, try visit.principal, notice: notice))
            },
            .post(path + "/name") { visit in
                try await change(visit, "renamed", "nameError") {
                    _ = try await services.sites.rename(
                        visit.site, to: visit.form.text("name"), for: try visit.principal)
                }
            },
            .post(path + "/domains") { visit in
                try await change(visit, "domain", "domainError") {
                    _ = try await services.sites.addDomain(
                        visit.form.text("domain"), to: visit.site, for: try visit.principal)
                }
            },
            .post(path + "/domains/remove") { visit in
                try await change(visit, "domain-removed", "domainError") {
                    _ = try await services.sites.removeDomain(
                        visit.form.text("domain"), from: visit.site, for: try visit.principal)
                }
            },
            .post(path + "/maintenance") { visit in
                try await change(visit, "maintenance", "maintenanceError") {
                    let message = visit.form.text("message")
                    _ = try await services.sites.setMaintenance(
                        message.isEmpty ? nil : message, on: visit.site, for: try visit.principal)
                }
            },
            .post(path + "/maintenance/off") { visit in
                try await change(visit, "maintenance-off", "maintenanceError") {
                    _ = try await services.sites.clearMaintenance(on: visit.site, for: try visit.principal)
                }
            },
            .post(path + "/upload", input: .upload) { try await upload($0) },
            .post(path + "/delete") { try await delete($0) },
        ]
    }

    func page(
        _ site: String, _ principal: Principal, uploadError: ServiceError? = nil, notice: String? = nil
    ) async throws -> Page {
        let view = try await services.sites.find(site, for: principal)
        let slug = view.site.slug.text
        var page = Page(
            "settings", title: "Settings of \(view.site.name)", section: .sites,
            command: "pagewright domains add \(slug) www.example.org")
        let host = view.url.split(separator: "/").dropFirst().first.map(String.init) ?? slug
        let name = host.split(separator: ":").first.map(String.init) ?? host
        page.values = [
            "site": SiteBar(view: view, tab: .settings).values, "name": view.site.name, "slug": slug,
            "address": view.url, "target": name, "created": Wording.time(view.site.createdAt),
            "domains": view.domains.map { domain -> [String: Any] in
                ["domain": domain.text, "url": view.url.replacing(name, with: domain.text)]
            }, "hasDomains": !view.domains.isEmpty,
        ]
        if let maintenance = view.site.maintenance { page.values["maintenance"] = maintenance.message }
        if let notice { page.values["notice"] = ["text": notice] }
        if let uploadError {
            page.status = uploadError.status
            page.values["uploadError"] = uploadError.banner
        }
        return page
    }

    /// Does something and shows the page again, with what was refused beside its form.
    private func change(
        _ visit: PageVisit, _ done: String, _ place: String, _ work: () async throws -> Void
    ) async throws -> PageAnswer {
        let principal = try visit.principal
        do {
            try await work()
            return .redirect(to: "\(visit.sitePath)/settings?done=\(done)")
        } catch let error as ServiceError where error.code != .internalError && error.field != "site" {
            var page = try await page(visit.site, principal)
            page.status = error.status
            page.values[place] = error.banner
            page.values["typed"] = ["domain": visit.form.text("domain"), "message": visit.form.text("message")]
            return .page(page)
        }
    }

    private func upload(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let cookie = SessionCookies(visit.request).csrf
        // A stranger's upload is not worth a disk.
        let view = try await services.sites.find(visit.site, for: principal)
        return try await forms.withFile(of: visit.request) { fields in
            try FormGuard.check(fields["csrf"], against: cookie)
        } _: { _, file in
            do {
                guard let file else {
                    throw ServiceError(
                        .invalidArgument, "no archive was chosen", field: "archive",
                        nextStep: "Choose a .zip, .tar or .tar.gz with an index.html in it.")
                }
                let version = try await services.versions.importArchive(
                    at: file, into: view.site.id.text, promote: false, for: principal)
                return .redirect(
                    to: "/sites/\(view.site.slug)/versions?done=uploaded&version=\(version.version.number)")
            } catch let error as ServiceError where error.code != .internalError {
                return .page(try await page(visit.site, principal, uploadError: error))
            }
        }
    }

    private func delete(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let view = try await services.sites.find(visit.site, for: principal)
        guard visit.form.text("confirmation") == view.site.slug.text else {
            var page = try await page(visit.site, principal)
            page.status = .badRequest
            page.values["deleteError"] = [
                "text": "Nothing was deleted: what you typed is not \(view.site.slug).",
                "nextStep": "Type the name exactly as it stands there.", "findings": [[String: Any]](),
            ]
            return .page(page)
        }
        try await services.sites.delete(view.site.id.text, for: principal)
        return .redirect(to: "/sites?done=deleted")
    }
}
