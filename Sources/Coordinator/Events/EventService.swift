package import Database
package import Domain
package import Persistence

/// Reads events, for those who may see them.
package struct EventService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let feed: EventFeed

    package init(database: any SQLDatabase, stores: Stores, feed: EventFeed) {
        self.database = database
        self.stores = stores
        self.feed = feed
    }

    /// What came after event `id`, oldest first. Admins see all.
    package func events(after id: Int64, limit: Int, for principal: Principal) async throws -> [Event] {
        try await database.read { transaction in
            try await stores.events.list(
                after: id, owner: principal.isAdmin ? nil : principal.user, limit: limit, in: transaction)
        }
    }

    package func latestID() async throws -> Int64 {
        try await database.read { try await stores.events.latestID(in: $0) }
    }

    /// Yields when there may be new events. Subscribe before reading, and nothing is missed.
    package func changes() -> AsyncStream<Void> { feed.changes() }
}
