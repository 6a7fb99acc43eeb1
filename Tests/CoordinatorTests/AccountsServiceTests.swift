import BlockingIO
import Domain
import Persistence
import Testing

@testable import Coordinator

@Suite struct AccountsServiceTests {
    @Test("The first user is an admin, the second is not")
    func firstIsAdmin() async throws {
        try await AccountsFixture.with { fixture in
            let first = try await fixture.register("a@example.org")
            let second = try await fixture.register("b@example.org")
            #expect(first.user.role == .admin)
            #expect(second.user.role == .user)
        }
    }

    @Test("Of many who register at once, exactly one becomes admin")
    func oneAdmin() async throws {
        try await AccountsFixture.with { fixture in
            let roles = try await withThrowingTaskGroup(of: User.Role.self) { group in
                for number in 0..<8 {
                    group.addTask { try await fixture.register("user\(number)@example.org").user.role }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(roles.filter { $0 == .admin }.count == 1)
            #expect(roles.count == 8)
        }
    }

    @Test("An address registers once, however it is written")
    func duplicate() async throws {
        try await AccountsFixture.with { fixture in
            _ = try await fixture.register("a@example.org")
            let error = await refusal { try await fixture.register(" A@Example.ORG ") }
            #expect(error?.code == .alreadyExists)
            #expect(error?.rule == "email-taken")
        }
    }

    @Test("With registration closed the first user can register and nobody else")
    func closed() async throws {
        try await AccountsFixture.with(isRegistrationOpen: false) { fixture in
            _ = try await fixture.register("a@example.org")
            #expect(await refusal { try await fixture.register("b@example.org") }?.rule == "registration-closed")
        }
    }

    @Test("Bad input is refused with its field and rule")
    func badInput() async throws {
        try await AccountsFixture.with { fixture in
            let nobody = await refusal { try await fixture.register("nobody") }
            #expect(nobody?.field == "email")
            let short = await refusal {
                try await fixture.accounts.register(
                    email: "a@example.org", password: "short", name: "Ada", from: AccountsFixture.address)
            }
            #expect(short?.rule == "password-length")
            let nameless = await refusal {
                try await fixture.accounts.register(
                    email: "a@example.org", password: AccountsFixture.password, name: " ", from: AccountsFixture.address
                )
            }
            #expect(nameless?.field == "name")
        }
    }

    @Test("A wrong password and an unknown address are refused in the same words")
    func wrongPassword() async throws {
        try await AccountsFixture.with { fixture in
            _ = try await fixture.register("a@example.org")
            let wrong = await refusal { try await fixture.logIn("a@example.org", "wrong password") }
            let unknown = await refusal { try await fixture.logIn("b@example.org") }
            #expect(wrong?.code == .unauthenticated)
            #expect(wrong?.message == unknown?.message)
            #expect(wrong?.rule == unknown?.rule)
        }
    }

    @Test("An access token says who it is, for 15 minutes")
    func accessToken() async throws {
        try await AccountsFixture.with { fixture in
            let session = try await fixture.register("a@example.org")
            let caller = try await fixture.accounts.authenticate(session.accessToken)
            let principal = caller.principal
            #expect(caller.expiresAt == session.accessExpiresAt)
            #expect(principal == Principal(user: session.user.id, role: .admin))
            #expect(try await fixture.accounts.me(principal) == session.user)
            fixture.clock.advance(by: .seconds(15 * 60))
            let error = await refusal { try await fixture.accounts.authenticate(session.accessToken) }
            #expect(error?.rule == "access-token-expired")
        }
    }

    @Test("A token that was changed, or signed with another key, is refused")
    func forgedToken() async throws {
        try await AccountsFixture.with { fixture in
            let session = try await fixture.register("a@example.org")
            let other = try await AccessTokenSigner(key: [UInt8](repeating: 8, count: 32))
            let foreign = try await other.sign(
                Principal(user: session.user.id, role: .admin), session: SessionID(at: fixture.clock.now()),
                at: fixture.clock.now()
            ).text
            let unsigned =
                "eyJhbGciOiJub25lIn0." + session.accessToken.split(separator: ".")[1] + "."
            for forged in [foreign, String(session.accessToken.dropLast(2)), String(unsigned), "", "a.b.c"] {
                #expect(await refusal { try await fixture.accounts.authenticate(forged) }?.code == .unauthenticated)
            }
        }
    }

    @Test("A refresh token is worth one trade, and its successor works")
    func rotation() async throws {
        try await AccountsFixture.with { fixture in
            let first = try await fixture.register("a@example.org")
            fixture.clock.advance(by: .seconds(3600))
            let second = try await fixture.accounts.refresh(first.refreshToken)
            #expect(second.refreshToken != first.refreshToken)
            #expect(second.user == first.user)
            #expect(second.refreshExpiresAt > first.refreshExpiresAt)
            _ = try await fixture.accounts.refresh(second.refreshToken)
        }
    }

    @Test("A refresh token that comes twice ends its session, and no other session")
    func reuse() async throws {
        try await AccountsFixture.with { fixture in
            let first = try await fixture.register("a@example.org")
            let elsewhere = try await fixture.logIn("a@example.org")
            let second = try await fixture.accounts.refresh(first.refreshToken)
            #expect(await refusal { try await fixture.accounts.refresh(first.refreshToken) }?.rule == "refresh-token")
            #expect(await refusal { try await fixture.accounts.refresh(second.refreshToken) }?.rule == "refresh-token")
            _ = try await fixture.accounts.refresh(elsewhere.refreshToken)
        }
    }

    @Test("Of two who trade the same token at once, at most one gets a session that stays")
    func concurrentRefresh() async throws {
        try await AccountsFixture.with { fixture in
            let token = try await fixture.register("a@example.org").refreshToken
            let traded = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 { group.addTask { (try? await fixture.accounts.refresh(token)) != nil } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(traded == 1)
        }
    }

    @Test("A refresh token ends after seven days")
    func refreshExpiry() async throws {
        try await AccountsFixture.with { fixture in
            let token = try await fixture.register("a@example.org").refreshToken
            fixture.clock.advance(by: AccountService.refreshLifetime)
            #expect(await refusal { try await fixture.accounts.refresh(token) }?.code == .unauthenticated)
        }
    }

    @Test("Logging out ends the session; doing it again, or with nonsense, does no harm")
    func logOut() async throws {
        try await AccountsFixture.with { fixture in
            let token = try await fixture.register("a@example.org").refreshToken
            try await fixture.accounts.logOut(token)
            try await fixture.accounts.logOut(token)
            try await fixture.accounts.logOut("nonsense")
            #expect(await refusal { try await fixture.accounts.refresh(token) }?.code == .unauthenticated)
        }
    }

    @Test("Neither passwords nor refresh tokens are in the database")
    func nothingSecretStored() async throws {
        try await AccountsFixture.with { fixture in
            let session = try await fixture.register("a@example.org")
            let rows = try await fixture.database.read { transaction in
                (
                    try await transaction.query("SELECT * FROM app_user")[0].text("password_hash"),
                    try await transaction.query("SELECT * FROM refresh_token")[0].text("hash")
                )
            }
            #expect(rows.0.hasPrefix("$2b$04$"))
            #expect(!session.refreshToken.contains(rows.1))
        }
    }

    @Test("A log-in makes the password hash as costly as it is asked for today")
    func rehash() async throws {
        try await AccountsFixture.with { fixture in
            _ = try await fixture.register("a@example.org")
            let dearer = try await fixture.accounts(withCost: 5)
            for _ in 0..<2 {
                _ = try await dearer.logIn(
                    email: "a@example.org", password: AccountsFixture.password, from: AccountsFixture.address)
            }
            let hash = try await fixture.database.read { try await $0.query("SELECT * FROM app_user") }[0]
                .text("password_hash")
            #expect(hash.hasPrefix("$2b$05$"))
        }
    }

    @Test("After too many wrong passwords the account is closed for a while, and says for how long")
    func rateLimit() async throws {
        try await AccountsFixture.with { fixture in
            _ = try await fixture.register("a@example.org")
            for _ in 0..<LoginRateLimiter.standardEmailLimit.burst {
                #expect(await refusal { try await fixture.logIn("a@example.org", "wrong") }?.code == .unauthenticated)
            }
            let error = await refusal { try await fixture.logIn("a@example.org") }
            #expect(error?.code == .rateLimited)
            let wait = try #require(error?.retryAfter)
            fixture.clock.advance(by: wait)
            _ = try await fixture.logIn("a@example.org")
        }
    }
}
