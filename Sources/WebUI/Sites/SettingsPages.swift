import Coordinator
import Domain
import HTTPTypes

/// Name, files, domains, maintenance and the end of a site.
struct SettingsPages: Sendable {
    let services: WebServices
    let forms: UploadForm
    private let lookup = DomainLookup()
    private static let pagesToChoose = 200

    init(services: WebServices, forms: UploadForm) {
        self.services = services
        self.forms = forms
    }

    private static let notices = [
        "renamed": "The name is changed.", "domain": "The domain is added.", "domain-removed": "The domain is removed.",
        "addresses": "Addresses lead there as soon as the hosts have it.",
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
                try await change(visit, "renamed", "nameError") { once in
                    _ = try await services.sites.rename(
                        visit.site, to: visit.form.text("name"), for: try visit.principal, once: once)
                }
            },
            .post(path + "/addresses") { visit in
                try await change(visit, "addresses", "addressError") { once in
                    guard let mode = AddressRules.Mode(rawValue: visit.form.text("mode")) else {
                        throw ServiceError(.invalidArgument, "the mode is pages or spa", field: "mode")
                    }
                    _ = try await services.sites.update(
                        visit.site, SiteChange(mode: mode, missingPage: visit.form.text("missing_page")),
                        for: try visit.principal, once: once)
                }
            },
            .post(path + "/domains") { visit in
                try await change(visit, "domain", "domainError") { once in
                    _ = try await services.sites.addDomain(
                        visit.form.text("domain"), to: visit.site, for: try visit.principal, once: once)
                }
            },
            .post(path + "/domains/remove") { visit in
                try await change(visit, "domain-removed", "domainError") { once in
                    _ = try await services.sites.removeDomain(
                        visit.form.text("domain"), from: visit.site, for: try visit.principal, once: once)
                }
            },
            .post(path + "/maintenance") { visit in
                try await change(visit, "maintenance", "maintenanceError") { once in
                    let message = visit.form.text("message")
                    _ = try await services.sites.setMaintenance(
                        message.isEmpty ? nil : message, on: visit.site, for: try visit.principal, once: once)
                }
            },
            .post(path + "/maintenance/off") { visit in
                try await change(visit, "maintenance-off", "maintenanceError") { once in
                    _ = try await services.sites.clearMaintenance(
                        on: visit.site, for: try visit.principal, once: once)
                }
            },
            .post(path + "/upload", input: .upload) { try await upload($0) },
            .get(path + "/domains/check") { .part("domain-state", try await check($0)) },
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
        let name = Self.target(of: view)
        page.values = [
            "site": SiteBar(view: view, tab: .settings).values, "name": view.site.name, "slug": slug,
            "address": view.url, "target": name, "created": Wording.time(view.site.createdAt),
            "domains": view.domains.map { domain -> [String: Any] in
                [
                    "domain": domain.text, "url": view.url.replacing(name, with: domain.text),
                    "check": "/sites/\(slug)/settings/domains/check?domain=\(domain.text.addingPercents())",
                ]
            }, "hasDomains": !view.domains.isEmpty,
        ]
        let addresses = view.site.addresses
        page.values["isApp"] = addresses.mode == .spa
        page.values["missingPages"] = try await missingPages(of: view, for: principal).map {
            [
                "path": $0, "chosen": $0 == addresses.missingPage, "isStandard": $0 == AddressRules.standardMissingPage,
            ] as [String: Any]
        }
        let budgets = try await budgets(of: view, for: principal)
        page.values["budgets"] = budgets
        page.values["hasBudgets"] = !budgets.isEmpty
        if let maintenance = view.site.maintenance { page.values["maintenance"] = maintenance.message }
        if let notice { page.values["notice"] = ["text": notice] }
        if let uploadError {
            page.status = uploadError.status
            page.values["uploadError"] = uploadError.banner
        }
        return page
    }

    /// What can be the page for missing addresses: pages of what visitors see, and what was chosen.
    private func missingPages(of view: SiteView, for principal: Principal) async throws -> [String] {
        var paths = [AddressRules.standardMissingPage]
        if let version = view.site.live ?? view.site.preview {
            let manifest = try await services.versions.manifest(
                version.rawValue, of: view.site.id.text, for: principal
            ).manifest
            let pages = manifest.entries.lazy.filter { $0.path.isHTML && !$0.path.isHidden }.map(\.path.text)
            paths += pages.filter { $0 != AddressRules.standardMissingPage }.prefix(Self.pagesToChoose)
        }
        let chosen = view.site.addresses.missingPage
        return paths.contains(chosen) ? paths : paths + [chosen]
    }

    /// What is used of the limits for AI work that the site counts against; none when there are no limits.
    private func budgets(of view: SiteView, for principal: Principal) async throws -> [[String: Any]] {
        let views = try await services.budgets.show(site: view.site.id.text, for: principal)
        return views.flatMap { view -> [[String: Any]] in
            let place = view.budget.scope == .day ? "your sites, last 24 hours" : "this site, last 30 days"
            var rows: [Quota] = []
            if let tokens = view.budget.tokens {
                rows.append(Quota(used: view.spent.tokens, allowed: tokens, unit: "tokens (\(place))"))
            }
            if let minutes = view.budget.minutes {
                rows.append(Quota(used: view.spent.seconds / 60, allowed: minutes, unit: "minutes (\(place))"))
            }
            return rows.map(\.values)
        }
    }

    /// Does something and shows the page again, with what was refused beside its form.
    private func change(
        _ visit: PageVisit, _ done: String, _ place: String, _ work: (Once<SiteView>) async throws -> Void
    ) async throws -> PageAnswer {
        let principal = try visit.principal
        do {
            let place = "\(visit.sitePath)/settings?done=\(done)"
            try await work(visit.once { _ in place })
            return .redirect(to: place)
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
        } _: { fields, file in
            do {
                var visit = visit
                switch try await FormKey.recall(
                    fields, path: visit.path, for: principal, by: services.idempotency)
                {
                case .known(let answer): return .redirect(to: String(decoding: answer.body, as: UTF8.self))
                case .new(let keyed): visit.keyed = keyed
                case nil: break
                }
                guard let file else {
                    throw ServiceError(
                        .invalidArgument, "no archive was chosen", field: "archive",
                        nextStep: "Choose a .zip, .tar or .tar.gz with an index.html in it.")
                }
                let place = "/sites/\(view.site.slug)/versions?done=uploaded&version="
                let version = try await services.versions.importArchive(
                    at: file, into: view.site.id.text, promote: false, for: principal,
                    once: visit.once { place + $0.version.number.description })
                return .redirect(to: place + version.version.number.description)
            } catch let error as ServiceError where error.code != .internalError {
                return .page(try await page(visit.site, principal, uploadError: error))
            }
        }
    }

    /// Where one of the site's domains leads now.
    private func check(_ visit: PageVisit) async throws -> [String: Any] {
        let view = try await services.sites.find(visit.site, for: try visit.principal)
        // Only the site's own: this is no resolver for everybody.
        guard let domain = view.domains.first(where: { $0.text == visit.query.text("domain") }) else {
            throw ServiceError(.notFound, "the site has no such domain", field: "domain")
        }
        switch await lookup.look(for: domain, shouldBe: Self.target(of: view)) {
        case .right: return ["kind": "ok", "text": "Leads here"]
        case .elsewhere(let addresses):
            return [
                "kind": "danger",
                "text": "Leads elsewhere: \(addresses.prefix(3).joined(separator: ", ")). Change the record.",
            ]
        case .nowhere:
            return [
                "kind": "warn", "text": "Leads nowhere yet. Set the record; that it is known can take an hour.",
            ]
        case .unknown: return ["kind": "plain", "text": "Nobody could tell just now. Check again in a minute."]
        }
    }

    /// The host name that domains should point to.
    private static func target(of view: SiteView) -> String {
        let host = view.url.split(separator: "/").dropFirst().first.map(String.init) ?? view.site.slug.text
        return host.split(separator: ":").first.map(String.init) ?? host
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
        try await services.sites.delete(
            view.site.id.text, for: principal, once: visit.once { _ in "/sites?done=deleted" })
        return .redirect(to: "/sites?done=deleted")
    }
}
