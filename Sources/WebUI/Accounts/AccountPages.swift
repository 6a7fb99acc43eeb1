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
            .post("/login", access: .anyone) { try await logIn($0) },
            .get("/register", access: .anyone) { visit in
                if visit.visitor != nil { return .redirect(to: "/sites") }
                return .page(form("register", visit, next: nil, email: ""))
            },
            .post("/register", access: .anyone) { try await register($0) },
            .post("/logout", access: .anyone) { try await logOut($0) },
            .get("/profile") { try await profile($0) },
        ]
    }

    private func logIn(_ visit: PageVisit) async throws -> PageAnswer {
        let email = visit.form.text("email")
        let next = visit.form["next"]
        do {
            let session = try await accounts.logIn(
                email: email, password: visit.form["password"] ?? "", from: visit.address)
            return begun(session, visit, at: Self.destination(next))
        } catch let error as ServiceError where error.code != .internalError {
            return .page(form("login", visit, next: next, email: email, error))
        }
    }

    private func register(_ visit: PageVisit) async throws -> PageAnswer {
        let email = visit.form.text("email")
        let name = visit.form.text("name")
        do {
            let session = try await accounts.register(
                email: email, password: visit.form["password"] ?? "", name: name, from: visit.address)
            return begun(session, visit, at: "/sites")
        } catch let error as ServiceError where error.code != .internalError {
            return .page(form("register", visit, next: nil, email: email, name: name, error))
        }
    }

    /// Gives the browser the session, and a new secret for forms: the old one was a stranger's.
    private func begun(_ session: IssuedSession, _ visit: PageVisit, at path: String) -> PageAnswer {
        var answer = PageAnswer.redirect(to: path)
        answer.cookies =
            SessionCookies.setting(session, isSecure: visit.isSecure) + [
                SessionCookies.setting(csrf: SessionCookies.makeToken(), isSecure: visit.isSecure)
            ]
        return answer
    }

    private func logOut(_ visit: PageVisit) async throws -> PageAnswer {
        let cookies = SessionCookies(visit.request)
        // A session that was renewed for this very request ends too: it is the same one.
        if let token = visit.visitor?.renewed?.refreshToken ?? cookies.refresh { try await accounts.logOut(token) }
        var answer = PageAnswer.redirect(to: "/login")
        answer.cookies = SessionCookies.clearing(isSecure: visit.isSecure)
        return answer
    }

    private func profile(_ visit: PageVisit) async throws -> PageAnswer {
        let user = try await accounts.me(try visit.principal)
        return .page(
            Page(
                "profile", title: "Profile", section: .profile, command: "pagewright whoami",
                values: [
                    "name": user.name, "email": user.email.text, "role": user.role.rawValue,
                    "isAdmin": user.role == .admin, "id": user.id.text, "created": Wording.time(user.createdAt),
                ]))
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
