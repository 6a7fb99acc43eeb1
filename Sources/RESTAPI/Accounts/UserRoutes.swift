import Coordinator
import Domain
import HTTPTypes

/// The people of an installation, for admins.
struct UserRoutes {
    let accounts: AccountService

    private static let feature = "Accounts"
    private static let path = "/api/v1/admin/users"

    var routes: [APIRoute] { [list, find, change] }

    private var list: APIRoute {
        APIRoute(
            .get, Self.path, "All users, newest first", feature: Self.feature, access: .admin,
            query: [.init(name: "q", schema: .text, description: "Part of a name or of an e-mail address.")] + .paging,
            content: .json(UserBody.table.pageSchema)
        ) { request in
            let page = try await accounts.listUsers(
                matching: request.query["q"] ?? "", page: try request.page(), for: try request.principal)
            return .json(UserBody.table.json(page))
        }
    }

    private var find: APIRoute {
        APIRoute(
            .get, Self.path + "/{user}", "One user", feature: Self.feature, access: .admin,
            content: .json(UserBody.table.schema), errors: [.notFound]
        ) { request in
            .json(
                UserBody.table.json(
                    try await accounts.findUser(try request.identifier("user"), for: try request.principal)))
        }
    }

    private var change: APIRoute {
        APIRoute(
            .patch, Self.path + "/{user}", "Change a user's role, or keep them out; they have to log in again",
            feature: Self.feature, access: .admin,
            input: .json(
                .object([
                    JSONSchema.optional("role", .words(User.Role.allCases.map(\.rawValue))),
                    JSONSchema.optional("disabled", .boolean),
                ])), content: .json(UserBody.table.schema), errors: [.notFound, .failedPrecondition]
        ) { request in
            try await request.once(UserBody.table.json) {
                try await accounts.changeUser(
                    try request.identifier("user"),
                    role: try request.body.optionalString("role").map(Self.role),
                    isDisabled: request.body.optionalBoolean("disabled"), for: try request.principal, once: $0)
            }
        }
    }

    private static func role(_ word: String) throws -> User.Role {
        guard let role = User.Role(rawValue: word) else {
            throw ServiceError(
                .invalidArgument, "there is no role \"\(word.prefix(40))\"", field: "role", rule: "role-known",
                nextStep: "Use user or admin.")
        }
        return role
    }
}
