package import Database
package import Domain
package import Logging
import Metrics
package import Persistence
import Telemetry

/// Shows the brakes that coordinators put on, and lets them go.
package struct BrakeService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let clock: any WallClock
    private let logger: Logger

    package init(database: any SQLDatabase, stores: Stores, clock: any WallClock, logger: Logger) {
        self.database = database
        self.stores = stores
        self.clock = clock
        self.logger = logger
    }

    package func list(for principal: Principal) async throws -> [EngagedBrake] {
        try principal.requireAdmin()
        return try await list()
    }

    /// For `/readyz`.
    package func list() async throws -> [EngagedBrake] {
        try await database.read { try await stores.brakes.list(in: $0) }
    }

    /// Says that what the brake holds back is meant: for five minutes it holds nothing back.
    package func release(_ name: String, for principal: Principal) async throws -> EngagedBrake {
        try principal.requireAdmin()
        let now = clock.now()
        let brake = try await database.withTransaction { transaction in
            guard try await stores.brakes.find(name, in: transaction) != nil else {
                throw ServiceError(
                    .notFound, "no brake \"\(name.prefix(64))\" is on", field: "brake",
                    nextStep: "List those that are on with: pagewright brakes.")
            }
            try await stores.brakes.release(name, at: now, in: transaction)
            try await AuditTrail(stores: stores).record(
                .brakeReleased, on: name, for: principal, at: now, in: transaction)
            guard let brake = try await stores.brakes.find(name, in: transaction) else {
                throw ServiceError(.internalError, "the brake is gone")
            }
            return brake
        }
        logger.notice("Released a brake", metadata: ["brake": "\(name)", "user.id": "\(principal.user)"])
        return brake
    }
}
