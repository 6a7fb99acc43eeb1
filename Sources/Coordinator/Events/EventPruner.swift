import Database
import Domain
import Logging
import Persistence
import ServiceLifecycle

/// Forgets events that nobody will ask for any more, so that the table does not grow for ever. One coordinator does.
package struct EventPruner: Service {
    /// A browser that was away for longer loads its page anew.
    package static let retention = Duration.seconds(30 * 86_400)
    private static let interval = Duration.seconds(600)
    /// In one transaction, so that none holds up the events of now.
    private static let batch = 5000

    private let database: any SQLDatabase
    private let events: EventStore
    private let stewardship: Stewardship
    private let clock: any WallClock
    private let logger: Logger

    init(
        database: any SQLDatabase, stores: Stores, stewardship: Stewardship, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        events = stores.events
        self.stewardship = stewardship
        self.clock = clock
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await stewardship.hold() != nil { try await prune() }
                } catch is CancellationError {
                    break
                } catch {
                    logger.error("Could not forget old events", metadata: ["error": "\(error)"])
                }
                // Ends early when cancelled.
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// Two at once do no harm.
    func prune() async throws {
        var count = 0
        while true {
            try Task.checkCancellation()
            let limit = Timestamp(
                millisecondsSinceEpoch: clock.now().millisecondsSinceEpoch - Self.retention.wholeMilliseconds)
            let gone = try await database.withTransaction(on: .only(["events"])) {
                try await events.deleteOldest(Self.batch, before: limit, in: $0)
            }
            count += gone
            if gone == 0 { break }
        }
        if count > 0 { logger.info("Forgot old events", metadata: ["events": "\(count)"]) }
    }
}
