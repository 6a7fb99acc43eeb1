import Coordinator
import Domain
import HTTPTypes
import Telemetry

struct AccountRoutes {
    let accounts: AccountService
    let metrics: PrometheusRegistry

    private static let feature = "Accounts"
    private static let refreshToken = JSONSchema.object([.init("refresh_token", .text)])

    var routes: [APIRoute] { [register, logIn, refresh, logOut, me, changeMe] }

    private var register: APIRoute {
        APIRoute(
            .post, "/api/v1/auth/register", "Make an account and log in; the first one is an admin",
            feature: Self.feature, access: .anyone,
            input: .json(
                .object([
                    .init("email", .string(format: "email", choices: [])),
                    .init("password", .string(format: "password", choices: []), "10 characters to 72 bytes."),
                    .init("name", .text, "1 to 100 characters on one line."),
                ])), status: .created, content: .json(SessionBody.table.schema),
            errors: [.alreadyExists, .permissionDenied, .rateLimited]
        ) { request in
            let session = try await accounts.register(
                email: request.body.string("email"), password: request.body.string("password"),
                name: request.body.string("name"), from: request.address, agent: request.agent,
                requestID: request.context.requestID)
            return .json(SessionBody.table.json(session))
        }
    }

    private var logIn: APIRoute {
        APIRoute(
            .post, "/api/v1/auth/login", "Log in", feature: Self.feature, access: .anyone,
            input: .json(
                .object([
                    .init("email", .string(format: "email", choices: [])),
                    .init("password", .string(format: "password", choices: [])),
                ])), content: .json(SessionBody.table.schema), errors: [.unauthenticated, .rateLimited]
        ) { request in
            do {
                let session = try await accounts.logIn(
                    email: request.body.string("email"), password: request.body.string("password"),
                    from: request.address, agent: request.agent, requestID: request.context.requestID)
                metrics.increment(.logins, "accepted")
                return .json(SessionBody.table.json(session))
            } catch let error as ServiceError {
                metrics.increment(.logins, error.code.rawValue)
                throw error
            }
        }
    }

    private var refresh: APIRoute {
        APIRoute(
            .post, "/api/v1/auth/refresh", "Trade a refresh token for a new pair; using one twice ends the session",
            feature: Self.feature, access: .anyone, input: .json(Self.refreshToken),
            content: .json(SessionBody.table.schema), errors: [.unauthenticated]
        ) { request in
            .json(
                SessionBody.table.json(
                    try await accounts.refresh(
                        request.body.string("refresh_token"), requestID: request.context.requestID)))
        }
    }

    private var logOut: APIRoute {
        APIRoute(
            .post, "/api/v1/auth/logout", "End the session of a refresh token", feature: Self.feature, access: .anyone,
            input: .json(Self.refreshToken), status: .noContent, content: .none
        ) { request in
            try await accounts.logOut(
                request.body.string("refresh_token"), requestID: request.context.requestID)
            return .nothing
        }
    }

    private var me: APIRoute {
        APIRoute(
            .get, "/api/v1/me", "Who is logged in", feature: Self.feature, content: .json(UserBody.table.schema)
        ) { request in
            .json(UserBody.table.json(try await accounts.me(try request.principal)))
        }
    }

    private var changeMe: APIRoute {
        APIRoute(
            .patch, "/api/v1/me", "Change name, e-mail address or password; what is left out stays",
            feature: Self.feature,
            input: .json(
                .object([
                    JSONSchema.optional("name", .text),
                    JSONSchema.optional("email", .string(format: "email", choices: [])),
                    JSONSchema.optional(
                        "password", .string(format: "password", choices: []), "Ends all other sessions."),
                    JSONSchema.optional(
                        "current_password", .string(format: "password", choices: []),
                        "Needed for another e-mail address or password."),
                ])), content: .json(UserBody.table.schema), errors: [.alreadyExists, .permissionDenied, .rateLimited]
        ) { request in
            // What is kept of a request would let a password in it be guessed.
            let hasPassword = ["password", "current_password"].contains { request.body.optionalString($0) != nil }
            return try await request.once(UserBody.table.json) { once in
                try await accounts.change(
                    name: request.body.optionalString("name"), email: request.body.optionalString("email"),
                    password: request.body.optionalString("password"),
                    currentPassword: request.body.optionalString("current_password"),
                    keeping: request.caller?.session, from: request.address, for: try request.principal,
                    once: hasPassword ? .unkeyed : once)
            }
        }
    }
}
