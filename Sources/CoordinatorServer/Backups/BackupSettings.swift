import Artifacts
import ArtifactsS3
import BlockingIO
import Coordinator
import Domain
import FleetIdentity
import Foundation
import Logging

/// Where backups go, how often, and what is in them.
struct BackupSettings: Sendable {
    /// `nil` when nobody said.
    let place: String?
    let every: Duration
    let drillEvery: Duration
    let copiesBlobs: Bool
    let keepingDays: Int
    let passphrase: Passphrase?

    init(_ source: SettingSource, passphraseFile: String? = nil) throws(ServiceError) {
        place = source.text(.backupTo)
        every = try source.duration(.backupEvery)
        drillEvery = try source.duration(.backupDrillEvery)
        copiesBlobs =
            try source.value(.backupBlobs, "is list or copy") { ["list": false, "copy": true][$0] } ?? false
        let keep = try source.duration(.backupKeep)
        guard keep >= .seconds(86_400) else { throw source.wrong(.backupKeep, "is at least a day, such as 30d") }
        keepingDays = Int(keep.components.seconds / 86_400)
        if let text = try Self.text(passphraseFile) {
            passphrase = try Passphrase(text)
        } else if let text = try source.secret(.backupPassphrase) {
            passphrase = try Passphrase(text)
        } else {
            passphrase = nil
        }
        guard every == .zero && drillEvery == .zero || place != nil else {
            throw ServiceError(
                .failedPrecondition, "backups are to be made, and nobody said where", field: "backup.to",
                nextStep: "Set backup.to to a folder on another disk, or to s3://….")
        }
    }

    static func text(_ file: String?) throws(ServiceError) -> String? {
        guard let file else { return nil }
        do {
            return try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw ServiceError(
                .failedPrecondition, "cannot read the passphrase in \(file)", field: "passphrase",
                nextStep: "Check that the file is there and that this user may read it.", cause: error)
        }
    }

    func requirePassphrase() throws(ServiceError) -> Passphrase {
        guard let passphrase else {
            throw ServiceError(
                .failedPrecondition, "a backup needs a passphrase: it has the keys of the fleet",
                field: "passphrase", rule: "passphrase-missing",
                nextStep:
                    "Make one with openssl rand -base64 24 > FILE, give --passphrase-file FILE, and keep a copy elsewhere."
            )
        }
        return passphrase
    }

    /// The backups at `address`.
    static func vault(
        at address: String, passphrase: Passphrase, folder: StateFolder, blobs: BlobSettings, pool: BlockingPool,
        logger: Logger
    ) async throws -> BackupVault {
        let scratch = folder.backups
        try await pool.run { try DurableFolder(path: scratch).create() }
        let place: any BackupPlace
        if address.hasPrefix("s3://") {
            place = S3BackupPlace(
                location: try S3Location(address), credentials: try await blobs.credentialSource(pool), pool: pool,
                clock: SystemClock(), logger: logger)
        } else {
            let path = URL(filePath: address.hasPrefix("directory:") ? String(address.dropFirst(10)) : address)
                .standardizedFileURL.path
            guard path != folder.path, !path.hasPrefix(folder.path + "/") else {
                throw ServiceError(
                    .failedPrecondition, "\(path) is in the coordinator's own folder, and would be lost with it",
                    field: "to", rule: "backup-place", nextStep: "Name a folder on another disk.")
            }
            place = try await FolderBackupPlace(directory: path, pool: pool)
        }
        return BackupVault(place: place, passphrase: passphrase, scratch: scratch, pool: pool)
    }
}
