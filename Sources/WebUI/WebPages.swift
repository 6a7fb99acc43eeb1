package import Coordinator
import Domain
import HTTPTypes
import Hummingbird
package import HummingbirdCore
package import Logging

/// The pages that people use: every address of the coordinator that is not the API's.
package struct WebPages: Sendable {
    /// An answer that sends events as they happen to somebody, those after a number.
    package typealias Events =
        @Sendable (_ request: Request, _ caller: AuthenticatedCaller, _ after: Int64) throws ->
        Response

    private let services: WebServices
    private let templates: PageTemplates
    private let assets: AssetStore
    private let renewals: SessionRenewals
    private let routes: [PageRoute]
    private static let livePath = "/live"

    /// Reads templates and assets; blocks while it does.
    package init(services: WebServices, settings: WebSettings, resources: ResourceFolder) throws {
        self.services = services
        templates = try PageTemplates(try resources.files(in: "templates"))
        assets = try AssetStore(try resources.files(in: "assets"))
        renewals = SessionRenewals(accounts: services.accounts)
        let forms = UploadForm(folder: settings.uploadFolder, limitInBytes: settings.uploadLimitInBytes)
        let studio = StudioPages(services: services, engines: settings.engines)
        routes =
            AccountPages(accounts: services.accounts).routes
            + NewSitePages(services: services, forms: forms).routes
            + SitePages(services: services).routes
            + studio.routes
            + VersionPages(services: services).routes
            + CheckPages(services: services).routes
            + ComparePages(services: services).routes
            + ReleasePages(services: services).routes
            + SettingsPages(services: services, forms: forms).routes
            + JobPages(services: services).routes
            + FleetPages(services: services).routes
            + ProfilePages(accounts: services.accounts).routes
            + WizardPages(services: services).routes
            + ViewPages(services: services, script: assets.addresses["pick.js"] ?? "").routes
            + UserPages(accounts: services.accounts).routes
            + HealthPages(services: services, settings: settings).routes
            + AuditPages(audit: services.audit).routes
            + EnginePages(engines: services.engines, budgets: services.budgets).routes
    }

    /// Answers a request, and says which route did, for the metrics. It never throws: what goes wrong is a page too.
    package func answer(
        to request: Request, requestID: String, address: ClientAddress, logger: Logger, events: Events
    ) async -> (response: Response, route: String) {
        let cookies = SessionCookies(request)
        var newCookies: [String] = []
        var csrf = cookies.csrf ?? ""
        var visitor: Visitor?
        var route = "page"
        do {
            if request.uri.path.hasPrefix("/assets/") {
                return (try assets.response(to: request), "/assets/{digest}/{name}")
            }
            visitor = try await self.visitor(cookies, logger)
            if let renewed = visitor?.renewed {
                newCookies += SessionCookies.setting(renewed, isSecure: cookies.isSecure)
            }
            if csrf.isEmpty {
                csrf = SessionCookies.makeToken()
                newCookies.append(SessionCookies.setting(csrf: csrf, isSecure: cookies.isSecure))
            }
            if request.uri.path == Self.livePath {
                route = Self.livePath
                return (adding(newCookies, to: try live(request, visitor, events)), route)
            }
            let (found, parameters) = try find(request)
            route = found.path
            if case .user = found.access, visitor == nil {
                return (adding(newCookies, to: try await logInFirst(request, found, csrf: csrf)), route)
            }
            var form = FormFields.empty
            if found.method == .post {
                try FormGuard.checkOrigin(request)
                if case .form(let limit) = found.input {
                    form = try FormFields(encoded: try await Self.collect(request, limit: limit))
                    try FormGuard.check(form["csrf"], against: cookies.csrf)
                }
            }
            var visit = PageVisit(
                request: request, requestID: requestID, address: address, logger: logger, visitor: visitor,
                csrfToken: csrf, isSecure: cookies.isSecure, parameters: parameters,
                query: try FormFields(encoded: request.uri.query ?? ""), form: form)
            if let visitor {
                switch try await FormKey.recall(
                    form, path: request.uri.path, for: visitor.caller.principal, by: services.idempotency)
                {
                case .known(let answer): return (adding(newCookies, to: Self.redirect(answer)), route)
                case .new(let keyed): visit.keyed = keyed
                case nil: break
                }
            }
            // Before anything is read, so that what happens meanwhile comes as an event.
            let after = try await services.events.latestID()
            let answer = try await found.handle(visit)
            if case .page = answer.content, let session = answer.session {
                visitor = Visitor(
                    caller: try await services.accounts.authenticate(session.accessToken), renewed: nil)
            }
            let response = try await self.response(
                answer, visitor: visitor, csrf: answer.csrf ?? csrf, after: after)
            return (adding(newCookies + answer.cookies, to: response), route)
        } catch let repeated as RepeatedRequest {
            // The other of two clicks was quicker.
            return (adding(newCookies, to: Self.redirect(repeated.answer)), route)
        } catch {
            let problem = PageProblem(error)
            if problem.status.kind == .serverError {
                logger.error(
                    "Could not show a page",
                    metadata: ["error": "\(error)", "http.path": "\(request.uri.path.prefix(500))"])
            }
            let page = problem.page(requestID: requestID, isLoggedIn: visitor != nil)
            let response = try? await self.response(.page(page), visitor: visitor, csrf: csrf, after: nil)
            return (adding(newCookies, to: response ?? Response(status: problem.status)), route)
        }
    }

    private func find(_ request: Request) throws -> (PageRoute, [String: String]) {
        let method: HTTPRequest.Method = request.method == .head ? .get : request.method
        var others = false
        for route in routes {
            guard let parameters = route.match(request.uri.path) else { continue }
            if route.method == method { return (route, parameters) }
            others = true
        }
        guard !others else { throw PageProblem.wrongMethod }
        throw ServiceError(.notFound, "there is nothing at this address", rule: "route")
    }

    /// The log-in. What was typed into a form is kept on it, and sent once somebody has logged in.
    private func logInFirst(_ request: Request, _ route: PageRoute, csrf: String) async throws -> Response {
        guard route.method == .post, case .form(let limit) = route.input else {
            return Self.redirect(Self.logInPath(for: request))
        }
        try FormGuard.checkOrigin(request)
        let form = try FormFields(encoded: try await Self.collect(request, limit: limit))
        guard !form.hasSecret else { return Self.redirect(Self.logInPath(for: request)) }
        let page = AccountPages.interrupted(path: request.uri.path, form: form)
        return try await response(.page(page), visitor: nil, csrf: csrf, after: nil)
    }

    /// Who the cookies say it is. A session that is over makes a stranger.
    private func visitor(_ cookies: SessionCookies, _ logger: Logger) async throws -> Visitor? {
        if let access = cookies.access, let caller = try? await services.accounts.authenticate(access) {
            return Visitor(caller: caller, renewed: nil)
        }
        guard let refresh = cookies.refresh else { return nil }
        do {
            let session = try await renewals.renew(refresh)
            return Visitor(caller: try await services.accounts.authenticate(session.accessToken), renewed: session)
        } catch let error as ServiceError where error.code == .unauthenticated {
            return nil
        }
    }

    private func live(_ request: Request, _ visitor: Visitor?, _ events: Events) throws -> Response {
        guard let visitor else { throw ServiceError(.unauthenticated, "this needs a log-in") }
        let last = HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
        let asked = try FormFields(encoded: request.uri.query ?? "")["after"]
        guard let after = (last ?? asked).flatMap({ Int64($0) }), after >= 0 else {
            throw ServiceError(.invalidArgument, "the number to begin after is missing", field: "after")
        }
        return try events(request, visitor.caller, after)
    }

    private func response(_ answer: PageAnswer, visitor: Visitor?, csrf: String, after: Int64?) async throws -> Response
    {
        switch answer.content {
        case .response(let response): return response
        case .redirect(let path): return Self.redirect(path)
        case .part(let template, var values):
            values["csrf"] = csrf
            values["once"] = SessionCookies.makeToken()
            values["icons"] = assets.addresses["icons.svg"] ?? ""
            return html(try templates.render(template, values), status: .ok, frames: [])
        case .page(let page):
            var values = page.values
            values["csrf"] = csrf
            values["once"] = SessionCookies.makeToken()
            values["icons"] = assets.addresses["icons.svg"] ?? ""
            let main = try templates.render(page.template, values)
            let layout = try await layout(page, main: main, visitor: visitor, csrf: csrf, after: after)
            return html(try templates.render("layout", layout), status: page.status, frames: page.frames)
        }
    }

    private func layout(_ page: Page, main: String, visitor: Visitor?, csrf: String, after: Int64?) async throws
        -> [String: Any]
    {
        var values: [String: Any] = [
            "title": page.title, "main": main, "csrf": csrf, "wide": page.isWide,
            "icons": assets.addresses["icons.svg"] ?? "", "css": assets.addresses["app.css"] ?? "",
            "js": assets.addresses["app.js"] ?? "", "mark": assets.addresses["mark.svg"] ?? "",
        ]
        if let command = page.command { values["command"] = command }
        if let after { values["after"] = String(after) }
        if let visitor, let user = try? await services.accounts.me(visitor.caller.principal) {
            values["user"] = [
                "name": user.name, "isAdmin": user.role == .admin, "onAdmin": page.section == .admin,
                "onSites": page.section == .sites, "onJobs": page.section == .jobs, "onFleet": page.section == .fleet,
                "onProfile": page.section == .profile,
            ]
        }
        return values
    }

    private func html(_ text: String, status: HTTPResponse.Status, frames: [String]) -> Response {
        let policy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "form-action 'self'; frame-src \((["'self'"] + frames).joined(separator: " ")); frame-ancestors 'none'; "
            + "base-uri 'none'"
        return Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store", .contentSecurityPolicy: policy,
            ], body: ResponseBody(byteBuffer: .init(string: text)))
    }

    private func adding(_ cookies: [String], to response: Response) -> Response {
        var response = response
        for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return response
    }

    /// Where a form that was sent before led to.
    private static func redirect(_ answer: KeptAnswer) -> Response {
        redirect(String(decoding: answer.body, as: UTF8.self))
    }

    private static func redirect(_ path: String) -> Response {
        Response(status: .seeOther, headers: [.location: path, .cacheControl: "no-store"])
    }

    /// Back to where somebody wanted to go, after the log-in.
    private static func logInPath(for request: Request) -> String {
        guard request.method == .get, request.uri.path != "/" else { return "/login" }
        return "/login?next=" + request.uri.string.addingPercents()
    }

    private static func collect(_ request: Request, limit: Int) async throws -> String {
        let refusal = ServiceError(.payloadTooLarge, "the form is larger than \(limit / 1024) KiB", rule: "body-size")
        var bytes: [UInt8] = []
        for try await piece in request.body {
            guard bytes.count + piece.readableBytes <= limit else { throw refusal }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
