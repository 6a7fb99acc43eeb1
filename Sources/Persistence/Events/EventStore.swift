package import Database
package import Domain

/// The rows of events. Their numbers grow in the order of the commits, so that a reader who asks for what came after
/// the last one that it saw misses nothing.
package struct EventStore: Sendable {
    private static let row = SQLRowChange.insert(
        into: "event", numberedBy: "event",
        [.text("kind"), .text("owner_id"), .text("site_id"), .text("body"), .integer("at")])

    package init() {}

    package func append(
        _ kind: Event.Kind, owner: UserID?, site: SiteID?, body: String, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws {
        // Every transaction with an event waits here for all others: it comes last, and nobody waits for its answer.
        try await transaction.postLast(
            Self.row, [.text(kind.rawValue), SQLValue(owner), SQLValue(site), .text(body), SQLValue(now)])
    }

    /// Oldest first; those of `owner`, or all when `owner` is `nil`.
    package func list(
        after id: Int64, owner: UserID?, limit: Int, in transaction: any SQLTransaction
    ) async throws -> [Event] {
        try await transaction.query(
            "SELECT * FROM event WHERE id > $1 AND (owner_id = $2 OR $3 = 1) ORDER BY id LIMIT $4",
            [.integer(id), .text(owner?.text ?? ""), SQLValue(owner == nil), SQLValue(limit)]
        ).compactMap { row in
            // Of a coordinator that is newer than this one: whoever follows it asks again after its number.
            guard let kind = Event.Kind(rawValue: try row.text("kind")) else { return nil }
            return Event(
                id: try row.integer("id"), kind: kind, owner: try row.optionalIdentifier("owner_id"),
                site: try row.optionalIdentifier("site_id"), body: try row.text("body"), at: try row.timestamp("at"))
        }
    }

    package func latestID(in transaction: any SQLTransaction) async throws -> Int64 {
        try await transaction.query("SELECT value FROM counter WHERE name = 'event'")[0].integer("value")
    }

    /// Forgets the oldest events, `number` of them at most, as far as they happened before `instant`. Returns how many went;
    /// with none, there is nothing more to forget.
    package func deleteOldest(
        _ number: Int, before instant: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Int {
        try await transaction.execute(
            "DELETE FROM event WHERE id < (SELECT MIN(id) FROM event) + $1 AND at < $2",
            [SQLValue(number), SQLValue(instant)])
    }
}
