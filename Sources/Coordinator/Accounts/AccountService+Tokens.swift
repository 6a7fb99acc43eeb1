import Database
package import Domain
import Logging
import Persistence

/// Access tokens for programs: scoped, ending, known to the database by their hash alone.
extension AccountService {
    static let personalPrefix = "pwt1."
    /// How many one user may have.
    private static let tokenLimit = 50
    /// How exactly the last use is noted.
    private static let useInterval = Duration.seconds(60)
    /// After which a long connection has to ask again.
    private static let standing = Duration.seconds(15 * 60)

    package func listTokens(for principal: Principal) async throws -> [PersonalToken] {
        try await database.read { try await personalTokens.list(of: principal.user, in: $0) }
    }

    /// `scopes` are words of ``AccessScope``. The secret is in the answer, once.
    package func createToken(
        name: String, scopes words: [String], days: Int = PersonalToken.standardDays, for principal: Principal
    ) async throws -> IssuedToken {
        try principal.requireSession()
        let now = clock.now()
        let token = try PersonalToken(
            id: PersonalTokenID(at: now), user: principal.user, name: name,
            scopes: try AccessScope.scopes(named: words),
            days: days, at: now)
        if token.scopes.contains(.admin) { try principal.requireAdmin() }
        var generator = SystemRandomNumberGenerator()
        let secret =
            Self.personalPrefix
            + Hexadecimal.text(of: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        try await database.withTransaction { transaction in
            guard try await personalTokens.count(of: principal.user, in: transaction) < Self.tokenLimit else {
                throw ServiceError(
                    .quotaExceeded, "you have \(Self.tokenLimit) access tokens already", rule: "token-count",
                    nextStep: "Revoke one that is not used any more.",
                    quota: Quota(used: Self.tokenLimit, allowed: Self.tokenLimit, unit: "access tokens"))
            }
            try await personalTokens.insert(token, hash: Self.hash(of: secret), in: transaction)
            try await audit.record(
                .tokenCreated, on: token.id.text, for: principal,
                [
                    "scopes": token.scopes.sorted().map(\.rawValue).joined(separator: ","),
                    "expires": token.expiresAt.description,
                ], at: now, in: transaction)
        }
        logger.notice("Made an access token", metadata: ["token.id": "\(token.id)", "user.id": "\(principal.user)"])
        return IssuedToken(token: token, secret: secret)
    }

    /// From now on it opens nothing.
    @discardableResult
    package func revokeToken(
        _ id: PersonalTokenID, for principal: Principal, once: Once<PersonalTokenID> = .unkeyed
    ) async throws -> PersonalTokenID {
        // One that leaked may end itself, and nothing else.
        if principal.token != id { try principal.requireSession() }
        let now = clock.now()
        let gone = try await database.withTransaction(once) { transaction in
            guard try await personalTokens.delete(id, of: principal.user, in: transaction) else {
                throw ServiceError(.notFound, "there is no such access token", field: "token")
            }
            try await audit.record(.tokenRevoked, on: id.text, for: principal, at: now, in: transaction)
            return id
        }
        logger.notice("Revoked an access token", metadata: ["token.id": "\(id)", "user.id": "\(principal.user)"])
        return gone
    }

    func authenticate(personal secret: String, at now: Timestamp) async throws -> AuthenticatedCaller {
        let hash = Self.hash(of: secret)
        let (token, user) = try await database.read { transaction -> (PersonalToken?, User?) in
            guard let token = try await personalTokens.find(hash: hash, in: transaction) else { return (nil, nil) }
            return (token, try await users.find(token.user, in: transaction))
        }
        guard let token, let user, user.disabledAt == nil, now < token.expiresAt else {
            throw ServiceError(
                .unauthenticated, "the access token is not valid, or has ended", rule: "access-token",
                nextStep: "Make a new one on your profile page.")
        }
        if token.lastUsedAt.map({ now >= $0 + Self.useInterval }) ?? true {
            // Only a note: that it cannot be written must not keep anybody out.
            try? await database.withTransaction { try await personalTokens.noteUse(of: token.id, at: now, in: $0) }
        }
        let role = token.scopes.contains(.admin) ? user.role : .user
        return AuthenticatedCaller(
            principal: Principal(user: user.id, role: role, token: token.id),
            expiresAt: min(token.expiresAt, now + Self.standing), scopes: token.scopes)
    }

    /// For a frame without cookies that shows the files of one version.
    package func sign(_ ticket: ViewTicket) async throws -> String { try await tokens.sign(ticket, at: clock.now()) }

    /// Throws `notFound`, also once the bearer's account is switched off or may less than it did.
    package func verify(ticket: String) async throws -> ViewTicket {
        let ticket = try await tokens.verify(ticket: ticket, at: clock.now())
        let user = try await database.read { try await users.find(ticket.principal.user, in: $0) }
        guard let user, user.disabledAt == nil, !ticket.principal.isAdmin || user.role == .admin else {
            throw ServiceError(.notFound, "this view has ended", nextStep: "Open the page again from the studio.")
        }
        return ticket
    }
}
