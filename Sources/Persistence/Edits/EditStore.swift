package import Database
package import Domain

/// The rows of edits.
package struct EditStore: Sendable {
    private static let byJob = SQLLookup("SELECT * FROM edit", by: "job_id")

    package init() {}

    package func insert(_ edit: Edit, in transaction: any SQLTransaction) async throws {
        try await transaction.post(
            """
            INSERT INTO edit (id, site_id, author_id, prompt, engine, base_version, base_chosen, job_id, created_at,
                conversation_id, mode, plan_id, planned_files, variant_group, variant, variants, replay_of, fresh)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            """,
            [
                SQLValue(edit.id), SQLValue(edit.site), SQLValue(edit.author), .text(edit.prompt.text),
                .text(edit.engine.rawValue), SQLValue(edit.base), SQLValue(edit.isBaseChosen),
                SQLValue(edit.job), SQLValue(edit.createdAt), SQLValue(edit.conversation), .text(edit.mode.rawValue),
                SQLValue(edit.plan), .text(edit.plannedFiles.joined(separator: "\n")), SQLValue(edit.variant?.group),
                SQLValue(edit.variant?.number ?? 0), SQLValue(edit.variant?.count ?? 0), SQLValue(edit.replayOf),
                SQLValue(edit.isFresh),
            ])
    }

    /// The edit starts from `base`, not from what was said before.
    package func rebase(_ id: EditID, onto base: VersionNumber, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE edit SET base_version = $2 WHERE id = $1", [SQLValue(id), SQLValue(base)])
    }

    /// Keeps which files an answered plan would touch.
    package func setPlannedFiles(
        _ files: [String], of id: EditID, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            "UPDATE edit SET planned_files = $2 WHERE id = $1", [SQLValue(id), .text(files.joined(separator: "\n"))])
    }

    package func find(job: JobID, in transaction: any SQLTransaction) async throws -> Edit? {
        try await transaction.answer(find(job: job))
    }

    /// What was asked for, for each of these jobs that is an edit. 1,000 jobs at most.
    package func prompts(of jobs: some Sequence<JobID>) -> SQLQuery<[JobID: String]> {
        .texts("prompt", of: "edit", by: "job_id", among: jobs)
    }

    package func find(job: JobID) -> SQLQuery<Edit?> {
        SQLQuery(Self.byJob, SQLValue(job)) { try $0.first.map(Self.edit) }
    }

    package func find(
        _ id: EditID, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> Edit? {
        try await transaction.query(
            "SELECT * FROM edit WHERE id = $1 AND site_id = $2", [SQLValue(id), SQLValue(site)]
        ).first.map(Self.edit)
    }

    /// Newest first; replays and looks, which nobody asked for in words, are not among them.
    package func list(
        of site: SiteID, page request: PageRequest, in transaction: any SQLTransaction
    ) async throws -> Page<Edit> {
        let rows = try await transaction.query(
            """
            SELECT * FROM edit WHERE site_id = $1 AND id < $2 AND replay_of IS NULL AND engine <> 'browser'
            ORDER BY id DESC LIMIT $3
            """,
            [SQLValue(site), .text(request.identifierCursor), SQLValue(request.limit + 1)])
        return try page(of: rows, limit: request.limit, cursor: "id", Self.edit)
    }

    /// Those of a conversation, newest first.
    package func list(
        of conversation: ConversationID, before last: EditID? = nil, page request: PageRequest,
        in transaction: any SQLTransaction
    ) async throws -> Page<Edit> {
        let rows = try await transaction.query(
            "SELECT * FROM edit WHERE conversation_id = $1 AND id < $2 AND id < $3 ORDER BY id DESC LIMIT $4",
            [
                SQLValue(conversation), .text(request.identifierCursor), .text(last?.text ?? "~"),
                SQLValue(request.limit + 1),
            ])
        return try page(of: rows, limit: request.limit, cursor: "id", Self.edit)
    }

    /// Those that try the same request side by side, the first one first.
    package func variants(of group: EditID, in transaction: any SQLTransaction) async throws -> [Edit] {
        try await transaction.query(
            "SELECT * FROM edit WHERE variant_group = $1 ORDER BY variant, id", [SQLValue(group)]
        ).map(Self.edit)
    }

    /// The tries side by side that were asked for last in a conversation before `edit`; `nil` when there were none.
    package func lastVariants(in conversation: ConversationID?, before edit: EditID) -> SQLQuery<EditID?> {
        SQLQuery(
            """
            SELECT variant_group FROM edit WHERE conversation_id = $1 AND id < $2 AND variant_group IS NOT NULL
            ORDER BY id DESC LIMIT 1
            """, [SQLValue(conversation), SQLValue(edit)]
        ) { try $0.first?.optionalIdentifier("variant_group") }
    }

    private static func edit(_ row: SQLRow) throws -> Edit {
        var variant: EditVariant?
        if let group: EditID = try row.optionalIdentifier("variant_group") {
            variant = EditVariant(
                group: group, number: Int(try row.integer("variant")), count: Int(try row.integer("variants")))
        }
        return Edit(
            id: try row.identifier("id"), site: try row.identifier("site_id"), author: try row.identifier("author_id"),
            prompt: try Prompt(try row.text("prompt")), engine: try row.word("engine"),
            base: try row.versionNumber("base_version"), isBaseChosen: try row.boolean("base_chosen"),
            job: try row.identifier("job_id"), replayOf: try row.optionalIdentifier("replay_of"),
            isFresh: try row.boolean("fresh"), createdAt: try row.timestamp("created_at"),
            conversation: try row.optionalIdentifier("conversation_id"), mode: try row.word("mode"),
            plan: try row.optionalIdentifier("plan_id"),
            plannedFiles: try row.text("planned_files").split(separator: "\n").map(String.init), variant: variant)
    }
}
