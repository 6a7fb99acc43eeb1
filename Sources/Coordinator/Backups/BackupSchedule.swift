package import Domain
package import Logging
import ServiceLifecycle

/// Makes backups and drills when their time has come; on the steward only.
package struct BackupSchedule: Service {
    private static let pulse = Duration.seconds(30)

    private let records: BackupRecords
    private let stewardship: Stewardship
    private let place: String
    private let backupEvery: Duration
    private let drillEvery: Duration
    private let backup: @Sendable () async throws -> BackupRun
    private let drill: @Sendable () async throws -> BackupRun
    private let clock: any WallClock
    private let logger: Logger

    /// A time of zero is never.
    package init(
        records: BackupRecords, stewardship: Stewardship, place: String, backupEvery: Duration, drillEvery: Duration,
        clock: any WallClock, logger: Logger, backup: @escaping @Sendable () async throws -> BackupRun,
        drill: @escaping @Sendable () async throws -> BackupRun
    ) {
        self.records = records
        self.stewardship = stewardship
        self.place = place
        self.backupEvery = backupEvery
        self.drillEvery = drillEvery
        self.clock = clock
        self.logger = logger
        self.backup = backup
        self.drill = drill
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await stewardship.hold() != nil {
                        try await perform(.backup, every: backupEvery, backup)
                        try await perform(.drill, every: drillEvery, drill)
                    }
                } catch is CancellationError {
                    break
                } catch {
                    logger.error("Could not look whether a backup is due", metadata: ["error": "\(error)"])
                }
                // Ends early when cancelled.
                try? await Task.sleep(for: Self.pulse)
            }
        }
    }

    /// A failure is written down like a success, so that it is not tried again before its time; people see it.
    private func perform(
        _ kind: BackupRun.Kind, every interval: Duration, _ body: @Sendable () async throws -> BackupRun
    ) async throws {
        guard interval > .zero, try await records.isDue(kind, every: interval) else { return }
        let start = clock.now()
        do {
            try await records.record(try await body())
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.error(
                kind == .backup ? "Could not make a backup" : "Could not begin a drill",
                metadata: ["place": "\(place)", "error": "\(error)"])
            await records.record(failureOf: kind, place: place, since: start, error)
        }
    }
}
