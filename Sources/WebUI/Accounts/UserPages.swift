import Coordinator
import Domain

/// The people of the installation, for admins.
struct UserPages: Sendable {
    private static let pageSize = 50

    let accounts: AccountService

    var routes: [PageRoute] {
        [
            .get("/admin") { _ in .redirect(to: "/admin/health") },
            .get("/admin/users") { .page(try await page($0)) },
            .post("/admin/users/{user}") { try await change($0) },
        ]
    }

    private func page(_ visit: PageVisit, _ error: ServiceError? = nil) async throws -> Page {
        let principal = try visit.principal
        let query = visit.query.text("q")
        let users = try await accounts.listUsers(
            matching: query, page: try visit.page(limit: Self.pageSize), for: principal)
        var page = Page("users", title: "Users", section: .admin, command: "pagewright users list")
        page.values = [
            "tabs": AdminTabs(.users).values, "query": query, "foundNothing": users.items.isEmpty,
            "users": users.items.map { user -> [String: Any] in
                var values: [String: Any] = [
                    "id": user.id.text, "name": user.name, "email": user.email.text, "role": user.role.rawValue,
                    "created": Wording.time(user.createdAt), "isSelf": user.id == principal.user,
                    "isDisabled": user.disabledAt != nil, "isAdmin": user.role == .admin,
                ]
                if let since = user.disabledAt { values["disabled"] = Wording.time(since) }
                return values
            },
        ]
        if let cursor = users.nextCursor { page.values["more"] = cursor.addingPercents() }
        if visit.query["done"] != nil {
            page.values["notice"] = ["text": "It is changed. They have to log in again."]
        }
        if let error {
            page.status = error.status
            page.values["error"] = error.banner
        }
        return page
    }

    private func change(_ visit: PageVisit) async throws -> PageAnswer {
        let role = visit.form["role"].flatMap(User.Role.init)
        let isDisabled = visit.form["disabled"].map { $0 == "yes" }
        do {
            _ = try await accounts.changeUser(
                try visit.identifier("user"), role: role, isDisabled: isDisabled, for: try visit.principal,
                once: visit.once { _ in "/admin/users?done=1" })
            return .redirect(to: "/admin/users?done=1")
        } catch let error as ServiceError where error.code == .failedPrecondition {
            return .page(try await page(visit, error))
        }
    }
}
