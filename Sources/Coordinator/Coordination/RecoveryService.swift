package import Database
package import Persistence

/// Says whether the database's memory is in doubt.
package struct RecoveryService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores

    package init(database: any SQLDatabase, stores: Stores) {
        self.database = database
        self.stores = stores
    }

    func isActive() async throws -> Bool {
        try await database.read { try await stores.installation.isRecovering(in: $0) }
    }
}
