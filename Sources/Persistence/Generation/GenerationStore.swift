package import Database
package import Domain
import FoundationEssentials

/// The rows of generations and of their steps.
package struct GenerationStore: Sendable {
    package init() {}

    package func insert(_ generation: Generation, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO generation (id, site_id, author_id, engine, brief, reviews_plan, plan, plan_approved, job_id,
                progress, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """,
            [
                SQLValue(generation.id), SQLValue(generation.site), SQLValue(generation.author),
                .text(generation.engine.rawValue), .text(try Self.json(generation.brief)),
                SQLValue(generation.reviewsPlan), try generation.plan.map { .text(try Self.json($0)) } ?? .null,
                SQLValue(generation.isPlanApproved), SQLValue(generation.job), SQLValue(generation.progress),
                SQLValue(generation.createdAt), SQLValue(generation.updatedAt),
            ])
    }

    package func save(_ generation: Generation, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            UPDATE generation SET plan = $2, plan_approved = $3, job_id = $4, progress = $5, updated_at = $6
            WHERE id = $1
            """,
            [
                SQLValue(generation.id), try generation.plan.map { .text(try Self.json($0)) } ?? .null,
                SQLValue(generation.isPlanApproved), SQLValue(generation.job), SQLValue(generation.progress),
                SQLValue(generation.updatedAt),
            ])
    }

    /// The generation that made, or makes, `site`.
    package func find(site: SiteID, in transaction: any SQLTransaction) async throws -> Generation? {
        try await transaction.query("SELECT * FROM generation WHERE site_id = $1", [SQLValue(site)]).first
            .map(Self.generation)
    }

    // MARK: Steps

    /// Notes a step; what was noted of the same step before is replaced.
    package func note(
        _ step: GenerationStep, of generation: GenerationID, by job: JobID, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO generation_step (generation_id, name, page, round, number, job_id, input, output,
                uncached_input_tokens, cached_input_tokens, output_tokens, milliseconds, done_at)
            VALUES ($1, $2, $3, $4,
                (SELECT COALESCE(MAX(number), 0) + 1 FROM generation_step WHERE generation_id = $1),
                $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (generation_id, name, page, round) DO UPDATE SET job_id = excluded.job_id,
                input = excluded.input, output = excluded.output,
                uncached_input_tokens = excluded.uncached_input_tokens,
                cached_input_tokens = excluded.cached_input_tokens, output_tokens = excluded.output_tokens,
                milliseconds = excluded.milliseconds, done_at = excluded.done_at
            """,
            [
                SQLValue(generation), .text(step.name.rawValue), .text(step.page), SQLValue(step.round), SQLValue(job),
                .text(step.input), .text(step.output), SQLValue(step.usage.uncachedInput),
                SQLValue(step.usage.cachedInput), SQLValue(step.usage.output), SQLValue(step.milliseconds),
                SQLValue(now),
            ])
    }

    /// In the order in which they were done first.
    package func steps(
        of generation: GenerationID, in transaction: any SQLTransaction
    ) async throws -> [GenerationStepRecord] {
        try await transaction.query(
            "SELECT * FROM generation_step WHERE generation_id = $1 ORDER BY number", [SQLValue(generation)]
        ).map { row in
            GenerationStepRecord(
                step: GenerationStep(
                    name: try row.word("name"), page: try row.text("page"), round: Int(try row.integer("round")),
                    input: try row.text("input"), output: try row.text("output"),
                    usage: TokenUsage(
                        uncachedInput: Int(try row.integer("uncached_input_tokens")),
                        cachedInput: Int(try row.integer("cached_input_tokens")),
                        output: Int(try row.integer("output_tokens"))),
                    milliseconds: Int(try row.integer("milliseconds"))), job: try row.identifier("job_id"),
                doneAt: try row.timestamp("done_at"))
        }
    }

    // MARK: Columns

    private static func generation(_ row: SQLRow) throws -> Generation {
        Generation(
            id: try row.identifier("id"), site: try row.identifier("site_id"), author: try row.identifier("author_id"),
            engine: try row.word("engine"), brief: try value(in: try row.text("brief"), "brief"),
            reviewsPlan: try row.boolean("reviews_plan"),
            plan: try row.optionalText("plan").map { try value(in: $0, "plan") },
            isPlanApproved: try row.boolean("plan_approved"), job: try row.identifier("job_id"),
            progress: Int(try row.integer("progress")), createdAt: try row.timestamp("created_at"),
            updatedAt: try row.timestamp("updated_at"))
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func value<Value: Decodable>(in text: String, _ column: String) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw SQLError(.badRow, "\(column) of a generation cannot be read: \(error)")
        }
    }
}
