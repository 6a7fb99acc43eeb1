package import Database
package import Domain
import FoundationEssentials

/// The rows of the audit log. They are added, sealed once, and never changed or deleted.
package struct AuditStore: Sendable {
    /// Which rows a reader wants; `nil` is all.
    package struct Filter: Sendable, Equatable {
        package var site: String?
        package var actor: String?
        package var action: String?

        package init(site: String? = nil, actor: String? = nil, action: String? = nil) {
            self.site = site
            self.actor = actor
            self.action = action
        }
    }

    private static let row = SQLRowChange.insert(
        into: "audit_entry",
        [
            .text("id"), .integer("at"), .text("actor"), .text("action"), .text("subject"), .text("site_id"),
            .text("details"), .text("request_id"),
        ])

    private let order = AuditOrder()

    package init() {}

    /// A name for a new row. Rows of one transaction sort as their names were made.
    package func makeID(at now: Timestamp) -> AuditEntryID { order.makeID(at: now) }

    /// Adds a row within the transaction of its effect. It takes no lock that another effect waits for.
    package func append(_ entry: AuditEntry, in transaction: any SQLTransaction) async throws {
        try await transaction.post(
            Self.row,
            [
                .text(entry.id), SQLValue(entry.at), .text(entry.actor), .text(entry.action), .text(entry.subject),
                SQLValue(entry.site), .text(FlatJSON.text(of: entry.details.mapValues { .text($0) })),
                .text(entry.requestID),
            ])
    }

    /// The end of the chain, and a lock on it until the transaction ends.
    package func lockHead(in transaction: any SQLTransaction) async throws -> AuditHead {
        try Self.head(
            try await transaction.query("UPDATE audit_head SET number = number WHERE id = 1 RETURNING number, hash"))
    }

    package func head(in transaction: any SQLTransaction) async throws -> AuditHead {
        try Self.head(try await transaction.query("SELECT number, hash FROM audit_head WHERE id = 1"))
    }

    /// The oldest rows that are not in the chain yet.
    package func unsealed(limit: Int, in transaction: any SQLTransaction) async throws -> [AuditEntry] {
        try await transaction.query(
            "SELECT * FROM audit_entry WHERE number IS NULL ORDER BY id LIMIT $1", [SQLValue(limit)]
        ).map(Self.entry)
    }

    /// Gives rows their place; the caller holds the lock on the head.
    package func seal(
        _ entries: [SealedAuditEntry], head: AuditHead, in transaction: any SQLTransaction
    ) async throws {
        // Nobody waits for each: a transaction that is open for long keeps what others have deleted since.
        for sealed in entries {
            try await transaction.post(
                "UPDATE audit_entry SET number = $2, previous_hash = $3, hash = $4 WHERE id = $1 AND number IS NULL",
                [
                    .text(sealed.entry.id), .integer(sealed.number), SQLValue(sealed.previousHash),
                    SQLValue(sealed.hash),
                ])
        }
        try await transaction.execute(
            "UPDATE audit_head SET number = $1, hash = $2 WHERE id = 1", [.integer(head.number), SQLValue(head.hash)])
    }

    /// Sealed rows, newest first, or oldest first from the cursor on.
    package func list(
        _ filter: Filter, oldestFirst: Bool, page request: PageRequest, in transaction: any SQLTransaction
    ) async throws -> Page<SealedAuditEntry> {
        var conditions: [String] = []
        var parameters: [SQLValue] = []
        func add(_ condition: String, _ value: SQLValue) {
            parameters.append(value)
            conditions.append(condition + " $\(parameters.count)")
        }
        if oldestFirst {
            add("number >", .integer(request.cursor == nil ? 0 : try request.numericCursor()))
        } else {
            add("number <", .integer(try request.numericCursor()))
        }
        if let site = filter.site { add("site_id =", .text(site)) }
        if let actor = filter.actor { add("actor =", .text(actor)) }
        if let action = filter.action { add("action =", .text(action)) }
        parameters.append(SQLValue(request.limit + 1))
        let rows = try await transaction.query(
            """
            SELECT * FROM audit_entry WHERE \(conditions.joined(separator: " AND "))
            ORDER BY number \(oldestFirst ? "ASC" : "DESC") LIMIT $\(parameters.count)
            """, parameters)
        return try page(of: rows, limit: request.limit, cursor: "number", Self.sealed)
    }

    private static func head(_ rows: [SQLRow]) throws -> AuditHead {
        guard let row = rows.first else { throw SQLError(.badRow, "the audit log has no head") }
        return AuditHead(number: try row.integer("number"), hash: try row.digest("hash"))
    }

    private static func sealed(_ row: SQLRow) throws -> SealedAuditEntry {
        SealedAuditEntry(
            entry: try entry(row), number: try row.integer("number"),
            // A hash that is none cannot be right either: the reader finds it broken.
            previousHash: ContentDigest(try row.optionalText("previous_hash") ?? "") ?? AuditHead.genesis.hash,
            hash: ContentDigest(try row.optionalText("hash") ?? "") ?? AuditHead.genesis.hash)
    }

    private static func entry(_ row: SQLRow) throws -> AuditEntry {
        let details = try row.text("details")
        return AuditEntry(
            id: try row.text("id"), at: try row.timestamp("at"), actor: try row.text("actor"),
            action: try row.text("action"), subject: try row.text("subject"), site: try row.optionalText("site_id"),
            // What is no list of facts any more is shown as it is, and its hash is wrong.
            details: (try? JSONDecoder().decode([String: String].self, from: Data(details.utf8))) ?? ["": details],
            requestID: try row.text("request_id"))
    }
}
