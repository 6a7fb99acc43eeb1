import Domain
import Testing

@testable import Coordinator

@Suite("Old events")
struct EventPrunerTests {
    @Test("What is older than thirty days is forgotten, and nothing else")
    func pruned() async throws {
        try await Installation.with { system in
            func count() async throws -> Int64 {
                try await system.database.read { try await $0.query("SELECT COUNT(*) AS n FROM event")[0].integer("n") }
            }
            for number in 0..<3 { _ = try await system.site("old-\(number)") }
            let old = try await count()
            #expect(old >= 3)
            system.clock.advance(by: EventPruner.retention + .seconds(1))
            _ = try await system.site("fresh")
            let all = try await count()
            try await system.services.eventPruner.prune()
            #expect(try await count() == all - old)
            // Once more, with nothing left to forget.
            try await system.services.eventPruner.prune()
            #expect(try await count() == all - old)
            // The numbers go on, so that nobody misses what comes next.
            _ = try await system.site("newer")
            #expect(try await count() > all - old)
        }
    }
}
