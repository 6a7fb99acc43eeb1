import Database
import Domain
import Persistence
import Testing

/// Which index is taken for what is asked for every job, by a server that has no statistics.
@Suite struct PlanTests {
    private static let site = SiteID(at: Timestamp(millisecondsSinceEpoch: 1))
    private static let user = UserID(at: Timestamp(millisecondsSinceEpoch: 1))

    private static func plan(_ statement: SQLStatement, _ driver: DatabaseDriver) async throws -> String {
        try await driver.withMigratedDatabase { database in
            let words = driver == .sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN "
            return try await database.queries([SQLStatement(words + statement.text, statement.parameters)])[0].map {
                try $0.text(driver == .sqlite ? "detail" : "QUERY PLAN")
            }.joined(separator: "\n")
        }
    }

    @Test("The jobs that hold a line are found by their site", arguments: DatabaseDriver.allCases)
    func active(driver: DatabaseDriver) async throws {
        let plan = try await Self.plan(Stores().jobs.active(of: Self.site).statement, driver)
        #expect(plan.contains("job_active_of_site") || plan.contains("job_site"), "\(plan)")
        #expect(!plan.contains("job_state"), "\(plan)")
    }

    @Test("SQLite looks for the holders of a line among open jobs only")
    func openJobs() async throws {
        let plan = try await Self.plan(Stores().jobs.active(of: Self.site).statement, .sqlite)
        #expect(plan.contains("job_active_of_site"), "\(plan)")
    }

    @Test("The first in a line are found without the lines of other sites", arguments: DatabaseDriver.allCases)
    func queued(driver: DatabaseDriver) async throws {
        for statement in [
            Stores().jobs.firstQueued(of: Self.site, limit: 2).statement,
            Stores().jobs.countQueued(of: Self.site).statement,
        ] {
            let plan = try await Self.plan(statement, driver)
            #expect(plan.contains("job_queued_of_site"), "\(plan)")
        }
    }

    @Test("The last tries of a talk are found without its other edits", arguments: DatabaseDriver.allCases)
    func tries(driver: DatabaseDriver) async throws {
        let now = Timestamp(millisecondsSinceEpoch: 1)
        let query = Stores().edits.lastVariants(in: ConversationID(at: now), before: EditID(at: now))
        let plan = try await Self.plan(query.statement, driver)
        #expect(plan.contains("edit_tries"), "\(plan)")
    }

    @Test("A site is found by its name and not by reading all sites", arguments: DatabaseDriver.allCases)
    func sites(driver: DatabaseDriver) async throws {
        let job = JobID(at: Timestamp(millisecondsSinceEpoch: 1))
        for statement in [Stores().sites.find(Self.site).statement, Stores().sites.find(of: job).statement] {
            let plan = try await Self.plan(statement, driver)
            #expect(plan.contains(driver == .sqlite ? "sqlite_autoindex_site_1" : "site_pkey"), "\(plan)")
        }
    }

    @Test("What belongs to a page of sites is found by the sites", arguments: DatabaseDriver.allCases)
    func pages(driver: DatabaseDriver) async throws {
        let selection = SiteSelection(owner: Self.user, page: try PageRequest(limit: 20))
        for (statement, index) in [
            (selection.sites.statement, "site_owner"), (selection.placements.statement, "desired_site_site"),
            (selection.domains.statement, "site_domain_site"),
        ] {
            let plan = try await Self.plan(statement, driver)
            #expect(plan.contains(index), "\(plan)")
        }
    }

    @Test("Where a user stands is read at the ends of indexes", arguments: DatabaseDriver.allCases)
    func turns(driver: DatabaseDriver) async throws {
        for statement in [
            Stores().jobs.fairShare(of: Self.user).statement, Stores().jobs.fairShare(ofOwnerOf: Self.site).statement,
        ] {
            let plan = try await Self.plan(statement, driver)
            #expect(plan.contains("job_owner_turn") && plan.contains("job_state_turn"), "\(plan)")
            #expect(plan.contains("job_turn"), "\(plan)")
            #expect(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "\(plan)")
        }
    }
}
