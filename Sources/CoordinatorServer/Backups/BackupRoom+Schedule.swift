import Artifacts
import Coordinator
import Domain
import Logging

extension BackupRoom {
    /// The service that makes backups and drills when it is time; `nil` when none are to be made.
    static func schedule(
        _ serve: ServeSettings, core: CoordinatorCore, configuration: String?, logger: Logger
    ) async throws -> BackupSchedule? {
        let settings = serve.backups
        guard let place = settings.place, settings.every > .zero || settings.drillEvery > .zero else { return nil }
        let room = BackupRoom(
            core: core,
            vault: try await BackupSettings.vault(
                at: place, passphrase: try settings.requirePassphrase(), folder: serve.folder, blobs: serve.blobs,
                pool: core.pool, logger: logger),
            files: BackupFiles(folder: serve.folder), settings: settings, configuration: configuration, logger: logger)
        return BackupSchedule(
            records: core.services.backups, stewardship: core.services.stewardship, place: room.vault.place.address,
            backupEvery: settings.every, drillEvery: settings.drillEvery, clock: SystemClock(), logger: logger,
            backup: { try await room.make() }, drill: { try await room.drill() })
    }
}
