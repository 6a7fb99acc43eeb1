import Database
import Domain
import Logging
import Persistence
import Testing

@testable import Coordinator

@Suite struct StewardshipTests {
    private func candidate(_ system: Installation, clock: Installation.Clock? = nil) -> Stewardship {
        Stewardship(
            database: system.database, stores: system.stores, clock: clock ?? system.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("Of many coordinators that ask at once, one is the steward")
    func one() async throws {
        try await Installation.with { system in
            let candidates = (0..<8).map { _ in candidate(system) }
            let terms = try await withThrowingTaskGroup(of: Term?.self) { group in
                for candidate in candidates { group.addTask { try await candidate.hold() } }
                return try await group.reduce(into: [Term]()) { if let term = $1 { $0.append(term) } }
            }
            #expect(terms.map(\.number) == [1])
        }
    }

    @Test("A steward that dies is followed within its lifetime, and the term grows")
    func takeOver() async throws {
        try await Installation.with { system in
            let (first, second) = (candidate(system), candidate(system))
            let term = try #require(try await first.hold())
            var waited = Duration.zero
            while try await second.hold() == nil {
                system.clock.advance(by: .seconds(1))
                waited += .seconds(1)
                try #require(waited < .seconds(60))
            }
            #expect(waited <= .seconds(16))
            #expect(try await second.hold()?.number == term.number + 1)
            // It wakes up, and sees that it was deposed.
            system.clock.advance(by: .seconds(1))
            #expect(try await first.hold() == nil)
        }
    }

    @Test("A steward that renews is never followed")
    func renewal() async throws {
        try await Installation.with { system in
            let (first, second) = (candidate(system), candidate(system))
            let term = try #require(try await first.hold())
            for _ in 0..<120 {
                system.clock.advance(by: .seconds(1))
                #expect(try await first.hold() == term)
                #expect(try await second.hold() == nil)
            }
        }
    }

    @Test("Who resigns is followed at once")
    func resignation() async throws {
        try await Installation.with { system in
            let (first, second) = (candidate(system), candidate(system))
            let term = try #require(try await first.hold())
            #expect(try await second.hold() == nil)
            await first.resign()
            system.clock.advance(by: .seconds(1))
            #expect(try await second.hold()?.number == term.number + 1)
        }
    }

    @Test("A deposed steward that does not know it yet cannot write")
    func deposed() async throws {
        try await Installation.with { system in
            // Two clocks: for the first no time passes.
            let sleeping = Installation.Clock()
            let (first, second) = (candidate(system, clock: sleeping), candidate(system))
            let old = try #require(try await first.hold())
            _ = try await second.hold()
            system.clock.advance(by: .seconds(20))
            let new = try #require(try await second.hold())
            #expect(try await first.hold() == old)
            let refusal = await #expect(throws: ServiceError.self) {
                try await system.database.withTransaction { transaction in
                    try await first.confirm(old, in: transaction)
                    try await system.stores.settings.set("by", to: "first", in: transaction)
                }
            }
            #expect(refusal?.rule == "term-over")
            try await system.database.withTransaction { transaction in
                try await second.confirm(new, in: transaction)
                try await system.stores.settings.set("by", to: "second", in: transaction)
            }
            let by = try await system.database.read { try await system.stores.settings.value(of: "by", in: $0) }
            #expect(by == "second")
            // From its own write it learned that it is none any more.
            #expect(try await first.hold() == nil)
        }
    }

    @Test(
        "Clocks that jump cost no safety, and delay the next steward by no more than a lifetime",
        arguments: [-3600, 3600])
    func jumps(seconds: Int) async throws {
        try await Installation.with { system in
            let wild = Installation.Clock()
            let (first, second) = (candidate(system), candidate(system, clock: wild))
            _ = try #require(try await first.hold())
            _ = try await second.hold()
            wild.advance(by: .seconds(seconds))
            _ = try await second.hold()
            var waited = 0
            while try await second.hold() == nil {
                wild.advance(by: .seconds(1))
                waited += 1
                try #require(waited < 60)
            }
            #expect(waited <= 16)
        }
    }
}
