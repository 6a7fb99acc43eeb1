package import Database
package import Domain
package import Persistence

/// Says which files of a site no edit may touch. Uploads may: who has the files has them in hand.
package struct SiteLockService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let clock: any WallClock

    package init(database: any SQLDatabase, stores: Stores, clock: any WallClock) {
        self.database = database
        self.stores = stores
        self.clock = clock
    }

    /// Sorted.
    package func list(of reference: String, for principal: Principal) async throws -> [PathPattern] {
        try await database.read { transaction in
            let site = try await SiteAccess(stores: stores).find(reference, for: principal, in: transaction)
            return try await stores.locks.list(of: site.id, in: transaction)
        }
    }

    /// These are locked from now on, and no others.
    package func set(
        _ patterns: [String], on reference: String, for principal: Principal, once: Once<[PathPattern]> = .unkeyed
    ) async throws -> [PathPattern] {
        guard patterns.count <= PathPattern.maximumNumber else {
            throw ServiceError(
                .invalidArgument, "a site has \(PathPattern.maximumNumber) locks at most", field: "patterns",
                rule: "locks-number")
        }
        let locks = Set(try patterns.map { try PathPattern($0) }).sorted()
        let now = clock.now()
        return try await database.withTransaction(once) { transaction in
            let site = try await SiteAccess(stores: stores).find(reference, for: principal, in: transaction)
            // The row of the site orders what happens to it.
            try await stores.sites.save(site, in: transaction)
            try await stores.locks.replace(locks, of: site.id, at: now, in: transaction)
            try await AuditTrail(stores: stores).record(
                .locksSet, on: site.id.text, of: site.id, for: principal,
                ["patterns": locks.map(\.text).joined(separator: " ").abridged(to: 1000)], at: now, in: transaction)
            return locks
        }
    }
}
