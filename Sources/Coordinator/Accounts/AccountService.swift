import Crypto
package import Database
package import Domain
package import Logging
import Persistence

/// Who may come in: registration, log-in, and sessions whose refresh token is traded for a new one at each use.
package struct AccountService: Sendable {
    package static let refreshLifetime = Duration.seconds(7 * 24 * 3600)
    private static let refreshPrefix = "pwr1."

    let database: any SQLDatabase
    let passwords: PasswordHasher
    let tokens: AccessTokenSigner
    let limiter: LoginRateLimiter
    let clock: any WallClock
    let logger: Logger
    private let isRegistrationOpen: Bool
    let users = UserStore()
    let sessions = LoginSessionStore()
    let personalTokens = PersonalTokenStore()
    let audit = AuditTrail(store: AuditStore())
    let watch = SessionWatch()

    /// With registration closed only the first user can register.
    package init(
        database: any SQLDatabase, passwords: PasswordHasher, tokens: AccessTokenSigner, limiter: LoginRateLimiter,
        clock: any WallClock, isRegistrationOpen: Bool = true, logger: Logger
    ) {
        self.database = database
        self.passwords = passwords
        self.tokens = tokens
        self.limiter = limiter
        self.clock = clock
        self.isRegistrationOpen = isRegistrationOpen
        self.logger = logger
    }

    /// Makes an account and logs in. The first one of an installation is an admin.
    package func register(
        email: String, password: String, name: String, from address: ClientAddress, agent: String = "",
        requestID: String = ""
    ) async throws -> IssuedSession {
        let email = try EmailAddress(email)
        let password = try Password(new: password)
        let name = try Site.validName(name)
        let now = clock.now()
        try await limiter.admit(nil, from: address, at: now)
        let hash = try await passwords.hash(password)
        let draft = SessionDraft(at: now, from: address, agent: agent)
        let id = UserID(at: now)
        let user = try await database.withTransaction { transaction in
            let isFirst = try await users.isEmpty(in: transaction)
            guard isFirst || isRegistrationOpen else {
                throw ServiceError(
                    .permissionDenied, "registration is closed on this installation", rule: "registration-closed",
                    nextStep: "Ask an admin for an account.")
            }
            let user = User(id: id, email: email, name: name, role: isFirst ? .admin : .user, createdAt: now)
            try await users.insert(user, passwordHash: hash, in: transaction)
            try await begin(draft, for: user.id, at: now, in: transaction)
            try await audit.record(
                .accountRegistered, on: user.id.text, by: .user(user.id),
                ["role": user.role.rawValue, "session": draft.id.text], requestID: requestID, at: now, in: transaction)
            return user
        }
        logger.notice("Registered user", metadata: ["user.id": "\(user.id)", "user.role": "\(user.role.rawValue)"])
        return try await issue(draft, for: user, at: now)
    }

    /// Throws `unauthenticated` for a wrong password and for an unknown address alike, after the same work.
    package func logIn(
        email: String, password: String, from address: ClientAddress, agent: String = "", requestID: String = ""
    ) async throws -> IssuedSession {
        let email = try EmailAddress(email)
        let password = Password(presented: password)
        let now = clock.now()
        try await limiter.admit(email, from: address, at: now)
        let found = try await database.read { try await users.find(email: email, in: $0) }
        let matches = try await passwords.matches(password, found?.passwordHash)
        guard matches, let found else {
            logger.notice("Refused log-in", metadata: ["client.address": "\(address)"])
            throw ServiceError(
                .unauthenticated, "the e-mail address or the password is wrong", rule: "credentials",
                nextStep: "Check both and try again.")
        }
        await limiter.forgive(email, from: address)
        guard found.user.disabledAt == nil else {
            throw ServiceError(
                .permissionDenied, "this account is disabled", rule: "account-disabled",
                nextStep: "Ask an admin of this installation.")
        }
        let better = passwords.needsRehash(found.passwordHash) ? try await passwords.hash(password) : nil
        let draft = SessionDraft(at: now, from: address, agent: agent)
        try await database.withTransaction { transaction in
            if let better {
                try await users.replacePasswordHash(of: found.user.id, found.passwordHash, by: better, in: transaction)
            }
            try await sessions.deleteOver(of: found.user.id, before: now, in: transaction)
            try await begin(draft, for: found.user.id, at: now, in: transaction)
            try await audit.record(
                .sessionBegan, on: draft.id.text, by: .user(found.user.id), ["address": "\(address)"],
                requestID: requestID, at: now, in: transaction)
        }
        return try await issue(draft, for: found.user, at: now)
    }

    /// Trades a refresh token for a new pair. A token that was traded before ends its whole session: one of the two
    /// who hold it is a thief, and nobody can tell which.
    package func refresh(_ refreshToken: String, requestID: String = "") async throws -> IssuedSession {
        let now = clock.now()
        let hash = Self.hash(of: refreshToken)
        let next = RefreshToken(at: now)
        let outcome = try await database.withTransaction { transaction -> RefreshOutcome in
            guard let token = try await sessions.findToken(hash, in: transaction),
                let session = try await sessions.find(token.session, in: transaction), session.endedAt == nil,
                let user = try await users.find(session.user, in: transaction), user.disabledAt == nil
            else { return .unknown }
            guard try await sessions.use(hash, at: now, in: transaction) else {
                try await sessions.end(session.id, at: now, in: transaction)
                try await audit.record(
                    .sessionRevoked, on: session.id.text, by: .system, ["user": session.user.text],
                    requestID: requestID, at: now, in: transaction)
                return .reused(session)
            }
            guard now < token.expiresAt else { return .unknown }
            try await sessions.insert(next.record(of: session.id), in: transaction)
            try await sessions.extend(session.id, until: next.expiresAt, at: now, in: transaction)
            return .traded(user, session.id)
        }
        switch outcome {
        case .traded(let user, let session):
            return try await issue(SessionDraft(id: session, token: next), for: user, at: now)
        case .reused(let session):
            watch.forgetAll()
            logger.warning(
                "Ended a session whose refresh token was used twice",
                metadata: ["session.id": "\(session.id)", "user.id": "\(session.user)"])
            throw Self.sessionOver
        case .unknown:
            throw Self.sessionOver
        }
    }

    /// Ends the session of this token. Tokens that are not known do no harm.
    package func logOut(_ refreshToken: String, requestID: String = "") async throws {
        let now = clock.now()
        let hash = Self.hash(of: refreshToken)
        try await database.withTransaction { transaction in
            guard let token = try await sessions.findToken(hash, in: transaction),
                let session = try await sessions.find(token.session, in: transaction), session.endedAt == nil
            else { return }
            try await sessions.end(session.id, at: now, in: transaction)
            try await audit.record(
                .sessionEnded, on: session.id.text, by: .user(session.user), requestID: requestID, at: now,
                in: transaction)
        }
        watch.forgetAll()
    }

    package func me(_ principal: Principal) async throws -> User {
        let user = try await database.read { try await users.find(principal.user, in: $0) }
        guard let user else { throw ServiceError(.unauthenticated, "this account is gone", rule: "account-gone") }
        return user
    }

    /// Who holds this access token, a session's or a personal one. Throws `unauthenticated`, also when the session of
    /// the token was ended.
    package func authenticate(_ accessToken: String) async throws -> AuthenticatedCaller {
        let now = clock.now()
        if accessToken.hasPrefix(Self.personalPrefix) { return try await authenticate(personal: accessToken, at: now) }
        let caller = try await tokens.verify(accessToken, at: now)
        guard let session = caller.session, !watch.isKnownOpen(session, at: now) else { return caller }
        guard try await database.read({ try await sessions.isOpen(session, in: $0) }) else {
            throw ServiceError(
                .unauthenticated, "the session of this access token is over", rule: "session-over",
                nextStep: "Log in again.")
        }
        watch.note(session, at: now)
        return caller
    }

    private func begin(
        _ draft: SessionDraft, for user: UserID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await sessions.insert(
            LoginSessionRecord(
                id: draft.id, user: user, createdAt: now, expiresAt: draft.token.expiresAt, address: draft.address,
                agent: draft.agent), in: transaction)
        try await sessions.insert(draft.token.record(of: draft.id), in: transaction)
    }

    private func issue(_ draft: SessionDraft, for user: User, at now: Timestamp) async throws -> IssuedSession {
        let access = try await tokens.sign(Principal(user: user.id, role: user.role), session: draft.id, at: now)
        return IssuedSession(
            user: user, accessToken: access.text, accessExpiresAt: access.expiresAt, refreshToken: draft.token.text,
            refreshExpiresAt: draft.token.expiresAt)
    }

    private static var sessionOver: ServiceError {
        ServiceError(
            .unauthenticated, "this session is over", rule: "refresh-token", nextStep: "Log in again.")
    }

    static func hash(of secret: String) -> ContentDigest {
        ContentDigest(bytes: Array(SHA256.hash(data: Array(secret.utf8))))!
    }

    private enum RefreshOutcome {
        case traded(User, SessionID)
        case reused(LoginSessionRecord)
        case unknown
    }

    /// A session that is about to begin or to go on.
    private struct SessionDraft {
        let id: SessionID
        let token: RefreshToken
        var address = ""
        var agent = ""

        init(id: SessionID, token: RefreshToken) {
            self.id = id
            self.token = token
        }

        init(at now: Timestamp, from address: ClientAddress, agent: String) {
            self.init(id: SessionID(at: now), token: RefreshToken(at: now))
            self.address = address.description
            // What a stranger sends is kept short and on one line.
            self.agent = String(
                String.UnicodeScalarView(
                    agent.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }.prefix(200)))
        }
    }

    /// 256 random bits; the database knows their hash alone.
    private struct RefreshToken {
        let text: String
        let expiresAt: Timestamp

        init(at now: Timestamp) {
            var generator = SystemRandomNumberGenerator()
            let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            text = refreshPrefix + Hexadecimal.text(of: secret)
            expiresAt = now + refreshLifetime
        }

        func record(of session: SessionID) -> RefreshTokenRecord {
            RefreshTokenRecord(hash: AccountService.hash(of: text), session: session, expiresAt: expiresAt)
        }
    }
}
