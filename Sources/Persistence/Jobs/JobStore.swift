package import Database
package import Domain

/// The rows of jobs. Lock order everywhere: the site's row first, then the job's.
package struct JobStore: Sendable {
    private static let byID = SQLLookup("SELECT * FROM job", by: "id")
    private static let activeBySite = SQLLookup(
        "SELECT * FROM job", by: "site_id", " AND state IN ('ready', 'leased')")
    private static let row = SQLRowChange.update(
        "job", key: .text("id"),
        [
            .text("state"), .integer("attempt"), .integer("losses"), .integer("cancel_requested_at"), .text("step"),
            .integer("progress"), .text("host_id"), .text("lease_token"), .integer("lease_fence"),
            .integer("lease_expires_at"), .integer("accepted_at"), .integer("version"), .text("failure_kind"),
            .text("failure_code"), .text("failure_message"), .text("summary"), .text("findings"),
            .integer("uncached_input_tokens"), .integer("cached_input_tokens"), .integer("output_tokens"),
            .integer("updated_at"), .integer("priority"), .text("model"), .integer("from_cache"),
            .text("failure_marks"),
        ])

    package init() {}

    package func insert(_ job: Job, owner: UserID, in transaction: any SQLTransaction) async throws {
        let record = JobRecord(job: job)
        try await transaction.post(
            """
            INSERT INTO job (id, site_id, kind, priority, created_at, state, attempt, losses, cancel_requested_at, step,
                progress, host_id, lease_token, lease_fence, lease_expires_at, accepted_at, version, failure_kind,
                failure_code, failure_message, summary, findings, uncached_input_tokens, cached_input_tokens,
                output_tokens, updated_at, owner_id, trial)
            VALUES ($1, $22, $23, $24, $25, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                $19, $20, $21, $26, $27, $28)
            """,
            try Self.columns(record) + [
                SQLValue(job.site), .text(job.kind.rawValue), SQLValue(job.priority), SQLValue(job.createdAt),
                SQLValue(job.updatedAt), SQLValue(owner), SQLValue(job.trial),
            ])
    }

    package func save(_ record: JobRecord, in transaction: any SQLTransaction) async throws {
        try await transaction.post(
            Self.row,
            try Self.columns(record) + [
                SQLValue(record.job.updatedAt), SQLValue(record.job.priority), .text(record.model),
                SQLValue(record.isFromCache), .text(record.failureMarks.joined(separator: "\n")),
            ])
    }

    package func find(_ id: JobID, in transaction: any SQLTransaction) async throws -> JobRecord? {
        try await transaction.answer(find(id))
    }

    package func find(_ id: JobID) -> SQLQuery<JobRecord?> {
        SQLQuery(Self.byID, SQLValue(id)) { try $0.first.map(Self.record) }
    }

    /// The sites of those of `jobs` that are there.
    package func sites(of jobs: [JobID]) -> SQLQuery<[JobID: SiteID]> {
        let wanted = ValueList(jobs.map { SQLValue($0) })
        return SQLQuery("SELECT id, site_id FROM job WHERE id IN (\(wanted.places))", wanted.parameters) { rows in
            var sites: [JobID: SiteID] = [:]
            for row in rows { sites[try row.identifier("id")] = try row.identifier("site_id") }
            return sites
        }
    }

    /// The jobs that hold the line of `site`: none, one, or tries at one request. Those that are worked on come first.
    package func active(of site: SiteID, in transaction: any SQLTransaction) async throws -> [Job] {
        try await transaction.answer(active(of: site))
    }

    package func active(of site: SiteID) -> SQLQuery<[Job]> {
        // Sorted here: asked for the order, SQLite takes the index of states, and walks the open jobs of all sites.
        SQLQuery(Self.activeBySite, SQLValue(site)) { rows in
            try rows.map { try Self.record($0).job }.sorted {
                ($0.stateName.rawValue, $0.id.text) < ($1.stateName.rawValue, $1.id.text)
            }
        }
    }

    /// The longest waiting job of `site` of the highest priority, and those behind it.
    package func firstQueued(of site: SiteID, limit: Int) -> SQLQuery<[JobRecord]> {
        SQLQuery(
            "SELECT * FROM job WHERE site_id = $1 AND state = 'queued' ORDER BY priority DESC, id LIMIT $2",
            [SQLValue(site), SQLValue(limit)]
        ) { rows in try rows.map(Self.record) }
    }

    package func countQueued(of site: SiteID, in transaction: any SQLTransaction) async throws -> Int {
        try await transaction.answer(countQueued(of: site))
    }

    package func countQueued(of site: SiteID) -> SQLQuery<Int> {
        SQLQuery("SELECT COUNT(*) AS number FROM job WHERE site_id = $1 AND state = 'queued'", [SQLValue(site)]) {
            Int(try $0[0].integer("number"))
        }
    }

    /// Jobs that wait for a worker that runs `engine`: those first that are next.
    package func ready(
        needing engine: EngineName, limit: Int, in transaction: any SQLTransaction
    ) async throws -> [(id: JobID, priority: Int)] {
        try await transaction.query(
            """
            SELECT job.id, job.priority FROM job JOIN edit ON edit.job_id = job.id
            WHERE job.state = 'ready' AND edit.engine = $1 ORDER BY job.priority DESC, job.id LIMIT $2
            """, [.text(engine.rawValue), SQLValue(limit)]
        ).map { (try $0.identifier("id"), Int(try $0.integer("priority"))) }
    }

    /// All jobs that a host works on.
    package func leased(in transaction: any SQLTransaction) async throws -> [Job] {
        try await transaction.query("SELECT * FROM job WHERE state = 'leased'").map { try Self.record($0).job }
    }

    /// Jobs that a host works on, of `host` only.
    package func leased(to host: HostID, in transaction: any SQLTransaction) async throws -> [Job] {
        try await transaction.query("SELECT * FROM job WHERE state = 'leased' AND host_id = $1", [SQLValue(host)])
            .map { try Self.record($0).job }
    }

    /// Jobs that somebody asked to stop and that a host still works on.
    package func cancelRequested(in transaction: any SQLTransaction) async throws -> [Job] {
        try await transaction.query(
            "SELECT * FROM job WHERE state = 'leased' AND cancel_requested_at IS NOT NULL"
        ).map { try Self.record($0).job }
    }

    /// Moves the end of a lease, if it is this one still. One statement, for many leases a second.
    package func renew(
        _ lease: JobLease, until expiresAt: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            UPDATE job SET lease_expires_at = $5
            WHERE id = $1 AND attempt = $2 AND lease_token = $3 AND lease_fence = $4 AND state = 'leased'
            """,
            [
                SQLValue(lease.job), SQLValue(lease.attempt), .text(lease.token.text), .integer(lease.fence.rawValue),
                SQLValue(expiresAt),
            ]) > 0
    }

    /// Newest first.
    package func list(
        owner: UserID?, site: SiteID?, state: Job.StateName?, page request: PageRequest,
        in transaction: any SQLTransaction
    ) async throws -> Page<JobRecord> {
        var parameters: [SQLValue] = [.text(request.identifierCursor), SQLValue(request.limit + 1)]
        var conditions = ""
        // Only what is asked for is in the statement, so that each is planned for its own index.
        for (column, value) in [
            ("owner_id", owner.map { SQLValue($0) }), ("site_id", site.map { SQLValue($0) }),
            ("state", state.map { SQLValue.text($0.rawValue) }),
        ] {
            guard let value else { continue }
            parameters.append(value)
            conditions += " AND job.\(column) = $\(parameters.count)"
        }
        let rows = try await transaction.query(
            """
            SELECT job.* FROM job JOIN site ON site.id = job.site_id
            WHERE job.id < $1 AND site.deleted_at IS NULL\(conditions)
            ORDER BY job.id DESC LIMIT $2
            """, parameters)
        return try page(of: rows, limit: request.limit, cursor: "id", Self.record)
    }

    /// How many jobs wait before this queued one in its site's line.
    package func countBefore(queued job: Job) -> SQLQuery<Int> {
        SQLQuery(
            """
            SELECT COUNT(*) AS number FROM job WHERE site_id = $1 AND state = 'queued'
                AND (priority > $2 OR (priority = $2 AND id < $3))
            """, [SQLValue(job.site), SQLValue(job.priority), SQLValue(job.id)]
        ) { Int(try $0[0].integer("number")) }
    }

    /// How many jobs of all sites go to a worker before this ready one.
    package func countBefore(ready job: Job) -> SQLQuery<Int> {
        SQLQuery(
            """
            SELECT COUNT(*) AS number FROM job WHERE state = 'ready'
                AND (priority > $1 OR (priority = $1 AND id < $2))
            """, [SQLValue(job.priority), SQLValue(job.id)]
        ) { Int(try $0[0].integer("number")) }
    }

    /// Of the jobs that are ready: how many need each engine, and since when the longest waits.
    package func readyByEngine(
        in transaction: any SQLTransaction
    ) async throws -> [(engine: String, count: Int, oldest: Timestamp)] {
        try await transaction.query(
            """
            SELECT edit.engine AS engine, COUNT(*) AS number, MIN(job.updated_at) AS oldest
            FROM job JOIN edit ON edit.job_id = job.id WHERE job.state = 'ready' GROUP BY edit.engine
            """
        ).map { (try $0.text("engine"), Int(try $0.integer("number")), try $0.timestamp("oldest")) }
    }

    /// How many jobs are in each state that is not an end; few, however many jobs there were.
    package func openCounts(in transaction: any SQLTransaction) async throws -> [Job.StateName: Int] {
        var counts: [Job.StateName: Int] = [:]
        for row in try await transaction.query(
            "SELECT state, COUNT(*) AS number FROM job WHERE state IN ('queued', 'ready', 'leased') GROUP BY state")
        {
            counts[try row.word("state")] = Int(try row.integer("number"))
        }
        return counts
    }

    /// How many jobs are in each state.
    package func counts(in transaction: any SQLTransaction) async throws -> [Job.StateName: Int] {
        var counts: [Job.StateName: Int] = [:]
        for row in try await transaction.query("SELECT state, COUNT(*) AS number FROM job GROUP BY state") {
            counts[try row.word("state")] = Int(try row.integer("number"))
        }
        return counts
    }

    /// Adds a piece to the job's log.
    package func appendLog(_ text: String, to job: JobID, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO job_log (job_id, number, text)
            SELECT $1, COALESCE(MAX(number), 0) + 1, $2 FROM job_log WHERE job_id = $1
            """,
            [SQLValue(job), .text(text)])
    }

    package func log(of job: JobID, in transaction: any SQLTransaction) async throws -> String {
        try await transaction.query("SELECT text FROM job_log WHERE job_id = $1 ORDER BY number", [SQLValue(job)])
            .map { try $0.text("text") }.joined()
    }

    /// What was printed behind piece `number`, and the number of the last piece; at most so many pieces.
    package func log(
        of job: JobID, after number: Int64, limit: Int, in transaction: any SQLTransaction
    ) async throws -> (text: String, last: Int64) {
        let rows = try await transaction.query(
            "SELECT number, text FROM job_log WHERE job_id = $1 AND number > $2 ORDER BY number LIMIT $3",
            [SQLValue(job), .integer(number), SQLValue(limit)])
        return (try rows.map { try $0.text("text") }.joined(), try rows.last?.integer("number") ?? number)
    }

    /// The values of `$1` to `$21`.
    private static func columns(_ record: JobRecord) throws -> [SQLValue] {
        let job = record.job
        var version: VersionNumber?
        var failure: JobFailure?
        switch job.state {
        case .succeeded(let number): version = number
        case .failed(let reason), .dead(let reason): failure = reason
        case .queued, .ready, .leased, .answered, .cancelled: break
        }
        let lease = job.grant?.lease
        return [
            SQLValue(job.id), .text(job.stateName.rawValue), SQLValue(job.attempt), SQLValue(job.losses),
            SQLValue(job.cancelRequestedAt), .text(job.step), SQLValue(job.progress), SQLValue(job.grant?.host),
            SQLValue(lease?.token.text), SQLValue(lease?.fence.rawValue), SQLValue(job.grant?.expiresAt),
            SQLValue(job.grant?.acceptedAt), SQLValue(version), SQLValue(failure?.kind.rawValue),
            SQLValue(failure?.code), SQLValue(failure?.message), .text(record.summary),
            .text(try FindingRecord.text(of: record.findings)), SQLValue(record.usage.uncachedInput),
            SQLValue(record.usage.cachedInput), SQLValue(record.usage.output),
        ]
    }

    private static func record(_ row: SQLRow) throws -> JobRecord {
        let id: JobID = try row.identifier("id")
        let attempt = Int(try row.integer("attempt"))
        let job = Job(
            id: id, site: try row.identifier("site_id"), kind: try row.word("kind"),
            trial: try row.optionalIdentifier("trial"), priority: Int(try row.integer("priority")),
            state: try state(row, of: id, attempt: attempt), attempt: attempt, losses: Int(try row.integer("losses")),
            cancelRequestedAt: try row.optionalTimestamp("cancel_requested_at"), step: try row.text("step"),
            progress: Int(try row.integer("progress")), createdAt: try row.timestamp("created_at"),
            updatedAt: try row.timestamp("updated_at"))
        return JobRecord(
            job: job, summary: try row.text("summary"),
            findings: try FindingRecord.findings(in: try row.text("findings")),
            usage: TokenUsage(
                uncachedInput: Int(try row.integer("uncached_input_tokens")),
                cachedInput: Int(try row.integer("cached_input_tokens")), output: Int(try row.integer("output_tokens"))),
            model: try row.text("model"), isFromCache: try row.boolean("from_cache"),
            failureMarks: try row.text("failure_marks").split(separator: "\n").map(String.init))
    }

    private static func state(_ row: SQLRow, of job: JobID, attempt: Int) throws -> Job.State {
        func failure() throws -> JobFailure {
            JobFailure(
                kind: try row.word("failure_kind"), code: try row.text("failure_code"),
                message: try row.text("failure_message"))
        }
        switch try row.word("state", as: Job.StateName.self) {
        case .queued: return .queued
        case .ready: return .ready
        case .leased:
            guard let token = LeaseToken(try row.text("lease_token")) else {
                throw SQLError(.badRow, "lease_token is no token")
            }
            let lease = JobLease(
                job: job, attempt: attempt, token: token, fence: Fence(rawValue: try row.integer("lease_fence")))
            return .leased(
                Job.Grant(
                    lease: lease, host: try row.identifier("host_id"), expiresAt: try row.timestamp("lease_expires_at"),
                    acceptedAt: try row.optionalTimestamp("accepted_at")))
        case .succeeded: return .succeeded(try row.versionNumber("version"))
        case .answered: return .answered
        case .failed: return .failed(try failure())
        case .cancelled: return .cancelled
        case .dead: return .dead(try failure())
        }
    }
}

extension JobStore {
    /// Where users stand in the line for workers. Four steps into indexes, and no lock: two jobs of one user that
    /// become ready at the same instant may get the same turn.
    package func fairShare(of owner: UserID) -> SQLQuery<FairShare> { fairShare("owner_id = $1", SQLValue(owner)) }

    package func fairShare(ofOwnerOf site: SiteID) -> SQLQuery<FairShare> {
        fairShare("owner_id = (SELECT owner_id FROM site WHERE id = $1)", SQLValue(site))
    }

    private func fairShare(_ condition: String, _ parameter: SQLValue) -> SQLQuery<FairShare> {
        // Each asks for the end of an index. MIN and MAX would do, but a server without statistics may take them for
        // an invitation to read all jobs of the user by another index.
        SQLQuery(
            """
            SELECT (SELECT priority FROM job WHERE state = 'leased' ORDER BY priority LIMIT 1) AS served,
                (SELECT priority FROM job WHERE state = 'ready' ORDER BY priority DESC LIMIT 1) AS waiting,
                (SELECT priority FROM job ORDER BY priority LIMIT 1) AS last,
                (SELECT priority FROM job WHERE \(condition) ORDER BY priority LIMIT 1) AS own
            """, [parameter]
        ) { rows in
            func turn(_ column: String) throws -> Int? { try rows[0].optionalInteger(column).map { -Int($0) } }
            return FairShare(
                served: try turn("served"), waiting: try turn("waiting"), last: try turn("last"), own: try turn("own"))
        }
    }

    /// Ends every job of a site that is being deleted.
    package func cancelAll(of site: SiteID, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            UPDATE job SET state = 'cancelled', updated_at = $2
            WHERE site_id = $1 AND state IN ('queued', 'ready', 'leased')
            """, [SQLValue(site), SQLValue(now)])
    }
}
