package import Database
package import Domain

/// The rows of conversations.
package struct ConversationStore: Sendable {
    package init() {}

    package func insert(_ conversation: Conversation, in transaction: any SQLTransaction) async throws {
        try await transaction.post(
            "INSERT INTO conversation (id, site_id, title, started_by, created_at) VALUES ($1, $2, $3, $4, $5)",
            [
                SQLValue(conversation.id), SQLValue(conversation.site), .text(conversation.title),
                SQLValue(conversation.startedBy), SQLValue(conversation.createdAt),
            ])
    }

    package func find(
        _ id: ConversationID, of site: SiteID, in transaction: any SQLTransaction
    ) async throws -> Conversation? {
        try await transaction.query(
            "SELECT * FROM conversation WHERE id = $1 AND site_id = $2", [SQLValue(id), SQLValue(site)]
        ).first.map(Self.conversation)
    }

    /// The newest one.
    package func current(of site: SiteID, in transaction: any SQLTransaction) async throws -> Conversation? {
        try await transaction.answer(current(of: site))
    }

    package func current(of site: SiteID) -> SQLQuery<Conversation?> {
        SQLQuery("SELECT * FROM conversation WHERE site_id = $1 ORDER BY id DESC LIMIT 1", [SQLValue(site)]) {
            try $0.first.map(Self.conversation)
        }
    }

    /// Newest first.
    package func list(
        of site: SiteID, page request: PageRequest, in transaction: any SQLTransaction
    ) async throws -> Page<Conversation> {
        let rows = try await transaction.query(
            "SELECT * FROM conversation WHERE site_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            [SQLValue(site), .text(request.identifierCursor), SQLValue(request.limit + 1)])
        return try page(of: rows, limit: request.limit, cursor: "id", Self.conversation)
    }

    private static func conversation(_ row: SQLRow) throws -> Conversation {
        Conversation(
            id: try row.identifier("id"), site: try row.identifier("site_id"), title: try row.text("title"),
            startedBy: try row.identifier("started_by"), createdAt: try row.timestamp("created_at"))
    }
}
