import Database
import DatabaseSQLite
import Domain
import Testing

@testable import Coordinator

@Suite struct AccountsIdempotencyTests {
    private static let body = IdempotencyService.digest(of: Array("{}".utf8))
    private static let answer = IdempotencyService.Answer(
        status: 201, contentType: "application/json", body: Array("{\"id\":1}".utf8))

    private func with(_ body: (AccountsFixture, IdempotencyService, Principal) async throws -> Void) async throws {
        try await AccountsFixture.with { fixture in
            let user = try await fixture.register("a@example.org").user
            try await body(
                fixture, IdempotencyService(database: fixture.database, clock: fixture.clock),
                Principal(user: user.id, role: user.role))
        }
    }

    private func claim(_ beginning: IdempotencyService.Beginning) throws -> IdempotencyService.Claim {
        guard case .proceed(let claim) = beginning else { throw ServiceError(.conflict, "it was replayed") }
        return claim
    }

    @Test("The first answer is given again, until a day has passed")
    func replay() async throws {
        try await with { fixture, service, me in
            let first = try claim(await service.begin("k", of: "POST /x", body: Self.body, for: me))
            try await service.finish(first, with: Self.answer)
            guard case .replay(let answer) = try await service.begin("k", of: "POST /x", body: Self.body, for: me)
            else {
                Issue.record("the answer was not replayed")
                return
            }
            #expect(answer == Self.answer)
            fixture.clock.advance(by: IdempotencyService.lifetime)
            _ = try claim(await service.begin("k", of: "POST /x", body: Self.body, for: me))
        }
    }

    @Test("Another body with the same key is a conflict; another operation or user is not")
    func otherBody() async throws {
        try await with { fixture, service, me in
            try await service.finish(
                try claim(await service.begin("k", of: "POST /x", body: Self.body, for: me)), with: Self.answer)
            let other = IdempotencyService.digest(of: [1])
            let error = await refusal { try await service.begin("k", of: "POST /x", body: other, for: me) }
            #expect(error?.rule == "idempotency-key-reused")
            _ = try claim(await service.begin("k", of: "POST /y", body: other, for: me))
            let friend = try await fixture.register("b@example.org").user
            _ = try claim(
                await service.begin("k", of: "POST /x", body: other, for: Principal(user: friend.id, role: .user)))
        }
    }

    @Test("A second request while the first is worked on is a conflict that says to try again")
    func inProgress() async throws {
        try await with { _, service, me in
            let first = try claim(await service.begin("k", of: "POST /x", body: Self.body, for: me))
            let error = await refusal { try await service.begin("k", of: "POST /x", body: Self.body, for: me) }
            #expect(error?.rule == "idempotency-key-in-progress")
            #expect(error?.retryAfter != nil)
            try await service.abandon(first)
            _ = try claim(await service.begin("k", of: "POST /x", body: Self.body, for: me))
        }
    }

    @Test("A request that died is taken over, and cannot answer for its successor")
    func takeOver() async throws {
        try await with { fixture, service, me in
            let dead = try claim(await service.begin("k", of: "POST /x", body: Self.body, for: me))
            fixture.clock.advance(by: IdempotencyService.patience)
            let second = try claim(await service.begin("k", of: "POST /x", body: Self.body, for: me))
            try await service.finish(dead, with: .init(status: 500, contentType: nil, body: []))
            try await service.abandon(dead)
            try await service.finish(second, with: Self.answer)
            guard case .replay(let answer) = try await service.begin("k", of: "POST /x", body: Self.body, for: me)
            else {
                Issue.record("the answer was not replayed")
                return
            }
            #expect(answer == Self.answer)
        }
    }

    @Test(
        "A key that is empty, too long or not plain is refused",
        arguments: ["", "a b", "ü", String(repeating: "k", count: 256)])
    func badKey(key: String) async throws {
        try await with { _, service, me in
            let error = await refusal { try await service.begin(key, of: "POST /x", body: Self.body, for: me) }
            #expect(error?.rule == "idempotency-key-format")
        }
    }
}
