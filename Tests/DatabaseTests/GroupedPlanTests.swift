import Database
import Domain
import Persistence
import Synchronization
import Testing

/// Which index is taken for what many jobs ask and write together, by a server that has no statistics.
@Suite struct GroupedPlanTests {
    /// Notes the statements of writing transactions.
    private final class Recorder: SQLDatabase {
        private struct Transaction: SQLTransaction {
            let transaction: any SQLTransaction
            let recorder: Recorder

            func execute(_ statement: String, _ parameters: [SQLValue]) async throws -> Int {
                recorder.note([SQLStatement(statement, parameters)])
                return try await transaction.execute(statement, parameters)
            }

            func query(_ statement: String, _ parameters: [SQLValue]) async throws -> [SQLRow] {
                recorder.note([SQLStatement(statement, parameters)])
                return try await transaction.query(statement, parameters)
            }

            func queries(_ statements: [SQLStatement]) async throws -> [[SQLRow]] {
                recorder.note(statements)
                return try await transaction.queries(statements)
            }

            func post(_ statement: String, _ parameters: [SQLValue]) async throws {
                recorder.note([SQLStatement(statement, parameters)])
                try await transaction.post(statement, parameters)
            }

            func postLast(_ statement: String, _ parameters: [SQLValue]) async throws {
                recorder.note([SQLStatement(statement, parameters)])
                try await transaction.postLast(statement, parameters)
            }
        }

        private let database: any SQLDatabase
        private let noted = Mutex<[SQLStatement]>([])
        var statements: [SQLStatement] { noted.withLock { $0 } }

        init(_ database: any SQLDatabase) { self.database = database }

        private func note(_ statements: [SQLStatement]) { noted.withLock { $0 += statements } }

        func withTransaction<Value: Sendable>(
            on scope: SQLScope, _ body: @Sendable (any SQLTransaction) async throws -> Value
        ) async throws -> Value {
            try await database.withTransaction(on: scope) {
                try await body(Transaction(transaction: $0, recorder: self))
            }
        }

        func read<Value: Sendable>(
            _ body: @Sendable (any SQLTransaction) async throws -> Value
        ) async throws -> Value { try await database.read(body) }
    }

    @Test(
        "What many ask and write together is found by indexes", .timeLimit(.minutes(2)),
        arguments: DatabaseDriver.allCases)
    func indexes(driver: DatabaseDriver) async throws {
        try await driver.withMigratedDatabase { database in
            let recorder = Recorder(database)
            let stores = Stores()
            let outcomes = try await together(8, in: recorder) { number, transaction in
                let now = Timestamp(millisecondsSinceEpoch: number)
                let (site, job, host) = (SiteID(at: now), JobID(at: now), HostID(at: now))
                _ = try await transaction.answers(
                    stores.jobs.find(job), stores.sites.find(site), stores.edits.find(job: job),
                    stores.hosts.find(host),
                    stores.jobs.active(of: site))
                try await stores.sites.save(
                    Site(
                        id: site, owner: UserID(at: now), slug: try Slug("site-\(number)"), name: "Site", createdAt: now
                    ),
                    in: transaction)
                try await stores.jobs.save(
                    JobRecord(job: Job(id: job, site: site, kind: .edit, createdAt: now)), in: transaction)
                try await stores.events.append(
                    .jobFinished, owner: nil, site: nil, body: "{}", at: now, in: transaction)
            }
            for outcome in outcomes { try outcome.get() }
            let many = recorder.statements.filter { $0.text.contains("IN ($1") || $0.text.contains("fresh") }
            #expect(many.count == 8, "five questions, two changes and the events")
            for statement in many {
                // As a session that writes plans it.
                let plan = try await database.withTransaction { transaction in
                    let words = driver == .sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN "
                    return try await transaction.query(words + statement.text, statement.parameters).map {
                        try $0.text(driver == .sqlite ? "detail" : "QUERY PLAN")
                    }.joined(separator: "\n")
                }
                for table in ["job", "site", "edit", "host", "counter"] {
                    #expect(!plan.contains("Seq Scan on \(table)"), "\(statement.text)\n\(plan)")
                    #expect(!plan.contains("SCAN \(table)"), "\(statement.text)\n\(plan)")
                }
            }
        }
    }
}
