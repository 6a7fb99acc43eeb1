import Coordinator
import Domain

/// One's own account: name, address, password, sessions, and access tokens for programs.
struct ProfilePages: Sendable {
    let accounts: AccountService

    private static let notices = [
        "saved": "Your profile is saved.", "password": "Your password is changed. All your other sessions are over.",
        "session": "The session is over. What was logged in there is out.",
        "sessions": "All your other sessions are over.", "token": "The access token opens nothing any more.",
    ]

    var routes: [PageRoute] {
        [
            .get("/profile") { visit in
                let notice = visit.query["done"].flatMap { Self.notices[$0] }
                return .page(try await page(visit, notice: notice))
            },
            .post("/profile") { visit in
                try await change(visit, "saved", "profileError") { once in
                    _ = try await accounts.change(
                        name: visit.form.text("name"), email: visit.form.text("email"),
                        currentPassword: visit.form["current_password"], keeping: session(visit), from: visit.address,
                        for: try visit.principal, once: once)
                }
            },
            .post("/profile/password") { visit in
                try await change(visit, "password", "passwordError") { once in
                    _ = try await accounts.change(
                        password: visit.form["password"] ?? "", currentPassword: visit.form["current_password"],
                        keeping: session(visit), from: visit.address, for: try visit.principal, once: once)
                }
            },
            .post("/profile/sessions/end") { visit in
                try await change(visit, "sessions", "sessionError") { (_: Once<User>) in
                    try await accounts.endOtherSessions(keeping: session(visit), for: try visit.principal)
                }
            },
            .post("/profile/sessions/{session}/end") { visit in
                try await change(visit, "session", "sessionError") { (_: Once<User>) in
                    try await accounts.endSession(try visit.identifier("session"), for: try visit.principal)
                }
            },
            .post("/profile/tokens") { try await createToken($0) },
            .post("/profile/tokens/{token}/revoke") { visit in
                try await change(visit, "token", "tokenError") { (_: Once<User>) in
                    try await accounts.revokeToken(try visit.identifier("token"), for: try visit.principal)
                }
            },
        ]
    }

    private func page(_ visit: PageVisit, notice: String? = nil) async throws -> Page {
        let principal = try visit.principal
        let user = try await accounts.me(principal)
        let sessions = try await accounts.listSessions(for: principal)
        let tokens = try await accounts.listTokens(for: principal)
        let current = session(visit)
        var page = Page(
            "profile", title: "Profile", section: .profile, command: "pagewright tokens create deploy --scope write")
        page.values = [
            "name": user.name, "email": user.email.text, "role": user.role.rawValue,
            "isAdmin": user.role == .admin, "id": user.id.text, "created": Wording.time(user.createdAt),
            "sessions": sessions.map { Self.values($0, current: current) }, "hasOthers": sessions.count > 1,
            "tokens": tokens.map(Self.values), "hasTokens": !tokens.isEmpty,
            "days": [7, 30, 90, 365].map { ["days": $0, "chosen": $0 == PersonalToken.standardDays] as [String: Any] },
        ]
        if let notice { page.values["notice"] = ["text": notice] }
        return page
    }

    /// Does something and shows the page again, with what was refused beside its form.
    private func change(
        _ visit: PageVisit, _ done: String, _ place: String, _ work: (Once<User>) async throws -> Void
    ) async throws -> PageAnswer {
        let address = "/profile?done=\(done)"
        do {
            try await work(visit.once { _ in address })
            return .redirect(to: address)
        } catch let error as ServiceError where error.code == .notFound {
            // The second of two clicks, or somebody did it elsewhere: it is gone.
            return .redirect(to: address)
        } catch let error as ServiceError where error.code != .internalError && error.code != .unauthenticated {
            return .page(try await page(visit, place, error))
        }
    }

    private func page(_ visit: PageVisit, _ place: String, _ error: ServiceError) async throws -> Page {
        var page = try await page(visit)
        page.status = error.status
        page.values[place] = error.banner
        if place == "profileError" {
            page.values["name"] = visit.form.text("name")
            page.values["email"] = visit.form.text("email")
        }
        if place == "tokenError" { page.values["tokenName"] = visit.form.text("token_name") }
        return page
    }

    private func createToken(_ visit: PageVisit) async throws -> PageAnswer {
        do {
            let issued = try await accounts.createToken(
                name: visit.form.text("token_name"), scopes: visit.form.all("scope"),
                days: Int(visit.form.text("days")) ?? 0, for: try visit.principal)
            // Shown in the answer itself: the secret is kept nowhere and cannot be shown again.
            var page = try await page(visit)
            page.values["issued"] = [
                "name": issued.token.name, "secret": issued.secret, "expires": Wording.time(issued.token.expiresAt),
            ]
            return .page(page)
        } catch let error as ServiceError where error.code != .internalError && error.code != .unauthenticated {
            return .page(try await page(visit, "tokenError", error))
        }
    }

    private func session(_ visit: PageVisit) -> SessionID? { visit.visitor?.caller.session }

    private static func values(_ session: LoginSession, current: SessionID?) -> [String: Any] {
        var values: [String: Any] = [
            "id": session.id.text, "agent": AgentName(session.agent).text,
            "created": Wording.time(session.createdAt), "used": Wording.time(session.usedAt),
            "isCurrent": session.id == current,
        ]
        if !session.address.isEmpty { values["address"] = session.address }
        return values
    }

    private static func word(for scope: AccessScope) -> String {
        switch scope {
        case .read: "look"
        case .write: "change sites"
        case .admin: "administer"
        }
    }

    private static func values(_ token: PersonalToken) -> [String: Any] {
        var values: [String: Any] = [
            "id": token.id.text, "name": token.name,
            "scopes": token.scopes.sorted().map(Self.word(for:)).joined(separator: ", "),
            "expires": Wording.time(token.expiresAt),
        ]
        if let used = token.lastUsedAt { values["used"] = Wording.time(used) }
        return values
    }
}
