import Coordinator
import Domain
import HTTPTypes

/// Coming in, going out, and who one is.
struct AccountPages: Sendable {
    let accounts: AccountService

    var routes: [PageRoute] {
        [
            .get("/", access: .anyone) { .redirect(to: $0.visitor == nil ? "/login" : "/sites") },
            .get("/login", access: .anyone) { visit in
                if visit.visitor != nil { return .redirect(to: Self.destination(visit.query["next"])) }
                return .page(form("login", visit, next: visit.query["next"], email: ""))
            },
            .post("/login", access: .anyone, input: .form(limit: 4 << 20)) { try await logIn($0) },
            .get("/register", access: .anyone) { visit in
                if visit.visitor != nil { return .redirect(to: "/sites") }
                return .page(form("register", visit, next: nil, email: ""))
            },
            .post("/register", access: .anyone) { try await register($0) },
            .post("/logout", access: .anyone) { try await logOut($0) },
        ]
    }

    private func logIn(_ visit: PageVisit) async throws -> PageAnswer {
        let email = visit.form.text("email")
        let next = visit.form["next"]
        do {
            let session = try await accounts.logIn(
                email: email, password: visit.form["password"] ?? "", from: visit.address, agent: visit.agent,
                requestID: visit.requestID)
            if let path = visit.form["resume_path"], Self.destination(path) == path {
                let form = try FormFields(encoded: visit.form["resume_form"] ?? "")
                return begun(session, visit, .page(Self.resumed(path: path, form: form)))
            }
            return begun(session, visit, .redirect(to: Self.destination(next)))
        } catch let error as ServiceError where error.code != .internalError {
            var page = form("login", visit, next: next, email: email, error)
            if let path = visit.form["resume_path"] {
                page.values["resume"] = ["path": path, "form": visit.form["resume_form"] ?? ""]
            }
            return .page(page)
        }
    }

    private func register(_ visit: PageVisit) async throws -> PageAnswer {
        let email = visit.form.text("email")
        let name = visit.form.text("name")
        do {
            let session = try await accounts.register(
                email: email, password: visit.form["password"] ?? "", name: name, from: visit.address,
                agent: visit.agent, requestID: visit.requestID)
            return begun(session, visit, .redirect(to: "/sites"))
        } catch let error as ServiceError where error.code != .internalError {
            return .page(form("register", visit, next: nil, email: email, name: name, error))
        }
    }

    /// Gives the browser the session, and a new secret for forms: the old one was a stranger's.
    private func begun(_ session: IssuedSession, _ visit: PageVisit, _ answer: PageAnswer) -> PageAnswer {
        var answer = answer
        let csrf = SessionCookies.makeToken()
        answer.session = session
        answer.csrf = csrf
        answer.cookies =
            SessionCookies.setting(session, isSecure: visit.isSecure) + [
                SessionCookies.setting(csrf: csrf, isSecure: visit.isSecure)
            ]
        return answer
    }

    private func logOut(_ visit: PageVisit) async throws -> PageAnswer {
        let cookies = SessionCookies(visit.request)
        // A session that was renewed for this very request ends too: it is the same one.
        if let token = visit.visitor?.renewed?.refreshToken ?? cookies.refresh {
            try await accounts.logOut(token, requestID: visit.requestID)
        }
        var answer = PageAnswer.redirect(to: "/login")
        answer.cookies = SessionCookies.clearing(isSecure: visit.isSecure)
        return answer
    }

    /// The log-in for somebody whose session ended while they filled in a form.
    static func interrupted(path: String, form: FormFields) -> Page {
        var page = Page("login", title: "Log in", command: "pagewright login")
        page.status = .unauthorized
        page.values = ["email": "", "resume": ["path": path, "form": form.encoded]]
        return page
    }

    /// The form that waited for the log-in, ready to be sent.
    private static func resumed(path: String, form: FormFields) -> Page {
        var page = Page(
            "resume", title: "Welcome back",
            values: ["path": path, "fields": form.visible.map { ["name": $0.name, "value": $0.value] }])
        if let message = form["prompt"], !message.isEmpty { page.values["message"] = message }
        return page
    }

    private func form(
        _ template: String, _ visit: PageVisit, next: String?, email: String, name: String = "",
        _ error: ServiceError? = nil
    ) -> Page {
        var page = Page(
            template, title: template == "login" ? "Log in" : "Make an account",
            command: template == "login" ? "pagewright login" : "pagewright login --register",
            values: ["email": email, "name": name])
        if let next, Self.destination(next) != "/sites" { page.values["next"] = next }
        if let error {
            page.status = error.status
            page.values["error"] = error.banner
            if let field = error.field { page.values["wrong_" + field] = true }
        }
        return page
    }

    /// An address of ours; whatever else somebody put into the link leads to the sites.
    static func destination(_ next: String?) -> String {
        guard let next, next.hasPrefix("/"), !next.hasPrefix("//"), next.utf8.count <= 2000,
            next.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\\") })
        else { return "/sites" }
        return next
    }
}
