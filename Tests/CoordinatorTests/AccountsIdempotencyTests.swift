import Database
import DatabaseSQLite
import Domain
import Persistence
import TestSupport
import Testing

@testable import Coordinator

@Suite struct AccountsIdempotencyTests {
    private static let body = IdempotencyService.digest(of: Array("{}".utf8))

    private static func answer(_ text: String) -> KeptAnswer {
        KeptAnswer(status: 201, contentType: "application/json", body: Array(text.utf8))
    }

    private func with(_ body: (AccountsFixture, IdempotencyService, Principal) async throws -> Void) async throws {
        try await AccountsFixture.with { fixture in
            let user = try await fixture.register("a@example.org").user
            try await body(
                fixture, IdempotencyService(database: fixture.database, clock: fixture.clock),
                Principal(user: user.id, role: user.role))
        }
    }

    private func new(_ recollection: IdempotencyService.Recollection) throws -> KeyedRequest {
        guard case .new(let request) = recollection else { throw ServiceError(.conflict, "it was answered before") }
        return request
    }

    private func known(_ recollection: IdempotencyService.Recollection) throws -> KeptAnswer {
        guard case .known(let answer) = recollection else { throw ServiceError(.notFound, "it was not answered yet") }
        return answer
    }

    /// An effect that shows how often it was had: a row of its own each time. Returns the name of the row.
    private func haveEffect(_ name: String, for request: KeyedRequest, on database: any SQLDatabase) async throws
        -> String
    {
        try await database.withTransaction(Once<String>(request) { Self.answer($0) }) { transaction in
            try await transaction.execute("INSERT INTO setting (name, value) VALUES ($1, '')", [.text(name)])
            return name
        }
    }

    private func effects(_ database: any SQLDatabase) async throws -> [String] {
        try await database.read { transaction in
            try await transaction.query("SELECT name FROM setting ORDER BY name").map { try $0.text("name") }
        }
    }

    @Test("The first answer is given again, until a day has passed")
    func replay() async throws {
        try await with { fixture, service, me in
            let first = try new(await service.recall("k", of: "POST /x", body: Self.body, for: me))
            _ = try await haveEffect("one", for: first, on: fixture.database)
            #expect(try known(await service.recall("k", of: "POST /x", body: Self.body, for: me)) == Self.answer("one"))
            fixture.clock.advance(by: IdempotencyService.lifetime)
            let second = try new(await service.recall("k", of: "POST /x", body: Self.body, for: me))
            #expect(try await haveEffect("two", for: second, on: fixture.database) == "two")
        }
    }

    @Test("An answer is there as soon as the effect is, and for any coordinator on the database")
    func answerIsPartOfTheEffect() async throws {
        try await with { fixture, service, me in
            let first = try new(await service.recall("k", of: "POST /x", body: Self.body, for: me))
            _ = try await haveEffect("one", for: first, on: fixture.database)
            // The coordinator with the first request says no more: this is what another one finds.
            let other = IdempotencyService(database: fixture.database, clock: fixture.clock)
            #expect(try known(await other.recall("k", of: "POST /x", body: Self.body, for: me)) == Self.answer("one"))
        }
    }

    @Test("An effect that fails leaves the key free")
    func failure() async throws {
        try await with { fixture, service, me in
            let request = try new(await service.recall("k", of: "POST /x", body: Self.body, for: me))
            await #expect(throws: ServiceError.self) {
                try await fixture.database.withTransaction(Once<String>(request) { Self.answer($0) }) { transaction in
                    try await transaction.execute("INSERT INTO setting (name, value) VALUES ('half', '')")
                    throw ServiceError(.conflict, "no")
                }
            }
            let again = try new(await service.recall("k", of: "POST /x", body: Self.body, for: me))
            _ = try await haveEffect("one", for: again, on: fixture.database)
            #expect(try await effects(fixture.database) == ["one"])
        }
    }

    @Test("Of many requests with one key, over two coordinators at once, one has an effect and all get its answer")
    func atOnce() async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/shared.sqlite"
            let first = try SQLiteDatabase(path: path)
            _ = try await Migrator(Schema.migrations).migrate(first)
            let second = try SQLiteDatabase(path: path)
            let clock = SystemClock()
            let me = Principal(user: UserID(at: clock.now()), role: .user)
            try await first.withTransaction { transaction in
                try await transaction.execute(
                    """
                    INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                    VALUES ($1, 'a@example.org', 'Ada', 'user', '-', 0)
                    """, [.text(me.user.text)])
            }
            // All have looked before one begins: none of them knows of another.
            let databases: [any SQLDatabase] = [first, second]
            var requests: [(KeyedRequest, any SQLDatabase)] = []
            for index in 0..<12 {
                let database = databases[index % 2]
                let service = IdempotencyService(database: database, clock: clock)
                let recollection = try await service.recall("k", of: "POST /x", body: Self.body, for: me)
                requests.append((try new(recollection), database))
            }
            let answers = try await withThrowingTaskGroup(of: KeptAnswer.self) { group in
                for (index, (request, database)) in requests.enumerated() {
                    group.addTask {
                        do {
                            return Self.answer(try await haveEffect("effect \(index)", for: request, on: database))
                        } catch let repeated as RepeatedRequest {
                            return repeated.answer
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let had = try await effects(first)
            #expect(had.count == 1)
            #expect(answers.count == 12)
            #expect(answers.allSatisfy { $0 == Self.answer(had[0]) })
        }
    }

    @Test("Another body with the same key is a conflict; another operation or user is not")
    func otherBody() async throws {
        try await with { fixture, service, me in
            let first = try new(await service.recall("k", of: "POST /x", body: Self.body, for: me))
            _ = try await haveEffect("one", for: first, on: fixture.database)
            let other = IdempotencyService.digest(of: [1])
            let error = await refusal { try await service.recall("k", of: "POST /x", body: other, for: me) }
            #expect(error?.rule == "idempotency-key-reused")
            _ = try new(await service.recall("k", of: "POST /y", body: other, for: me))
            let friend = try await fixture.register("b@example.org").user
            _ = try new(
                await service.recall("k", of: "POST /x", body: other, for: Principal(user: friend.id, role: .user)))
        }
    }

    @Test("Old answers are thrown away")
    func sweep() async throws {
        try await with { fixture, service, me in
            let first = try new(await service.recall("k", of: "POST /x", body: Self.body, for: me))
            _ = try await haveEffect("one", for: first, on: fixture.database)
            fixture.clock.advance(by: IdempotencyService.lifetime)
            _ = try await service.recall("other", of: "POST /x", body: Self.body, for: me)
            let kept = try await fixture.database.read { transaction in
                try await transaction.query("SELECT COUNT(*) AS number FROM idempotency_key")[0].integer("number")
            }
            #expect(kept == 0)
        }
    }

    @Test(
        "A key that is empty, too long or not plain is refused",
        arguments: ["", "a b", "ü", String(repeating: "k", count: 256)])
    func badKey(key: String) async throws {
        try await with { _, service, me in
            let error = await refusal { try await service.recall(key, of: "POST /x", body: Self.body, for: me) }
            #expect(error?.rule == "idempotency-key-format")
        }
    }
}
