import Coordinator
import Domain
import HTTPTypes

/// One's own sessions and access tokens.
struct ProfileRoutes {
    let accounts: AccountService

    private static let feature = "Accounts"
    private static let sessions = "/api/v1/me/sessions"
    private static let tokens = "/api/v1/me/tokens"

    var routes: [APIRoute] { [listSessions, endOthers, endSession, listTokens, createToken, revokeToken] }

    private var listSessions: APIRoute {
        APIRoute(
            .get, Self.sessions, "Your open sessions, newest first", feature: Self.feature,
            content: .json(SessionEntryBody.table.listSchema)
        ) { request in
            .json(SessionEntryBody.table.json(try await accounts.listSessions(for: try request.principal)))
        }
    }

    private var endOthers: APIRoute {
        APIRoute(
            .delete, Self.sessions, "End all your sessions but the one that asks", feature: Self.feature,
            status: .noContent, content: .none, errors: [.permissionDenied]
        ) { request in
            try await request.once { (once: Once<Int>) in
                try await accounts.endOtherSessions(
                    keeping: request.caller?.session, for: try request.principal, once: once)
            }
        }
    }

    private var endSession: APIRoute {
        APIRoute(
            .delete, Self.sessions + "/{session}", "End one of your sessions", feature: Self.feature,
            status: .noContent, content: .none, errors: [.notFound, .permissionDenied]
        ) { request in
            try await request.once { (once: Once<SessionID>) in
                try await accounts.endSession(
                    try request.identifier("session"), for: try request.principal, once: once)
            }
        }
    }

    private var listTokens: APIRoute {
        APIRoute(
            .get, Self.tokens, "Your access tokens, without their secrets", feature: Self.feature,
            content: .json(PersonalTokenBody.table.listSchema)
        ) { request in
            .json(PersonalTokenBody.table.json(try await accounts.listTokens(for: try request.principal)))
        }
    }

    private var createToken: APIRoute {
        APIRoute(
            .post, Self.tokens, "Make an access token for a program; its secret is in the answer, once",
            feature: Self.feature,
            input: .json(
                .object([
                    .init("name", .text, "What it is for."), .init("scopes", PersonalTokenBody.scopes),
                    JSONSchema.optional(
                        "days", .integer(minimum: 1),
                        "How long it lives, at most \(PersonalToken.maximumDays) days; \(PersonalToken.standardDays) when left out."
                    ),
                ])), status: .created, content: .json(PersonalTokenBody.issued.schema),
            errors: [.permissionDenied, .quotaExceeded], keepsAnswers: false
        ) { request in
            let issued = try await accounts.createToken(
                name: request.body.string("name"), scopes: request.body.strings("scopes"),
                days: request.body.optionalInteger("days") ?? PersonalToken.standardDays, for: try request.principal)
            return .json(PersonalTokenBody.issued.json(issued))
        }
    }

    private var revokeToken: APIRoute {
        APIRoute(
            .delete, Self.tokens + "/{token}", "Make an access token worthless", feature: Self.feature,
            status: .noContent, content: .none, errors: [.notFound, .permissionDenied]
        ) { request in
            try await request.once { (once: Once<PersonalTokenID>) in
                try await accounts.revokeToken(try request.identifier("token"), for: try request.principal, once: once)
            }
        }
    }
}
