package import Database
package import Domain

/// The rows of what each attempt used of a model.
package struct LedgerStore: Sendable {
    package init() {}

    /// An attempt is written down once; when it comes again, what was written first stays.
    package func insert(_ entry: LedgerEntry, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO token_ledger (job_id, attempt, site_id, owner_id, engine, model, uncached_input_tokens,
                cached_input_tokens, output_tokens, money, seconds, charged, from_cache, at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            ON CONFLICT (job_id, attempt) DO NOTHING
            """,
            [
                SQLValue(entry.job), SQLValue(entry.attempt), SQLValue(entry.site), SQLValue(entry.owner),
                .text(entry.engine.rawValue), .text(entry.model), SQLValue(entry.usage.uncachedInput),
                SQLValue(entry.usage.cachedInput), SQLValue(entry.usage.output), SQLValue(entry.money),
                SQLValue(entry.seconds), SQLValue(entry.isCharged), SQLValue(entry.isFromCache), SQLValue(entry.at),
            ])
    }

    /// The attempts of a job, the first one first.
    package func list(of job: JobID, in transaction: any SQLTransaction) async throws -> [LedgerEntry] {
        try await transaction.query("SELECT * FROM token_ledger WHERE job_id = $1 ORDER BY attempt", [SQLValue(job)])
            .map(Self.entry)
    }

    /// All that a job used, charged or not.
    package func spending(of job: JobID, in transaction: any SQLTransaction) async throws -> Spending {
        try await sum("job_id = $1", [SQLValue(job)], in: transaction)
    }

    /// What a site is charged for since then.
    package func spending(
        of site: SiteID, since: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Spending {
        try await sum("site_id = $1 AND at >= $2 AND charged = 1", [SQLValue(site), SQLValue(since)], in: transaction)
    }

    /// What the sites of an owner are charged for since then.
    package func spending(
        of owner: UserID, since: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Spending {
        try await sum(
            "owner_id = $1 AND at >= $2 AND charged = 1", [SQLValue(owner), SQLValue(since)], in: transaction)
    }

    private func sum(
        _ condition: String, _ parameters: [SQLValue], in transaction: any SQLTransaction
    ) async throws -> Spending {
        // A sum of BIGINT is NUMERIC in PostgreSQL.
        let row = try await transaction.query(
            """
            SELECT CAST(COALESCE(SUM(uncached_input_tokens + cached_input_tokens + output_tokens), 0) AS BIGINT) AS tokens,
                CAST(COALESCE(SUM(money), 0) AS BIGINT) AS money,
                CAST(COALESCE(SUM(seconds), 0) AS BIGINT) AS seconds
            FROM token_ledger WHERE \(condition)
            """, parameters)[0]
        return Spending(
            tokens: Int(try row.integer("tokens")), money: Int(try row.integer("money")),
            seconds: Int(try row.integer("seconds")))
    }

    private static func entry(_ row: SQLRow) throws -> LedgerEntry {
        LedgerEntry(
            job: try row.identifier("job_id"), attempt: Int(try row.integer("attempt")),
            site: try row.identifier("site_id"), owner: try row.identifier("owner_id"), engine: try row.word("engine"),
            model: try row.text("model"),
            usage: TokenUsage(
                uncachedInput: Int(try row.integer("uncached_input_tokens")),
                cachedInput: Int(try row.integer("cached_input_tokens")), output: Int(try row.integer("output_tokens"))),
            money: Int(try row.integer("money")), seconds: Int(try row.integer("seconds")),
            isCharged: try row.boolean("charged"), isFromCache: try row.boolean("from_cache"),
            at: try row.timestamp("at"))
    }
}
