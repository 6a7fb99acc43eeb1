import ArgumentParser
import Artifacts
import BlockingIO
import Coordinator
import Domain
import FleetIdentity
import Foundation

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Brings a backup back, into an empty folder and an empty database.",
        discussion: """
            The coordinator that starts on it is in recovery: it serves questions, gives out no job and tells hosts \
            nothing, until an operator has seen what hosts have that the backup lacks, and accepts: \
            pagewright-coordinator recovery show, recovery accept. No fence that was given out before is given out again.

            Example: pagewright-coordinator restore --from /mnt/backups --state /var/lib/pagewright \
            --passphrase-file /etc/pagewright/backup.passphrase
            """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var blobs: BlobOptions
    @OptionGroup var place: BackupPlaceOptions
    @Option(help: "The name of a backup; default: the newest one.")
    var backup: String?
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let name: String
        let madeAt: String
        let rows: Int
        let blobs: Int
        let broughtBlobs: Int
        let missingBlobs: [String]
        let incarnation: Int
    }

    func run() async throws {
        try await reporting {
            let (vault, folder, source, pool) = try await place.vault(options, blobs: blobs)
            let name: BackupName
            if let backup {
                guard let given = BackupName(backup) else {
                    throw ServiceError(
                        .invalidArgument, "\"\(backup.prefix(80))\" is not the name of a backup", field: "backup",
                        nextStep: "List them: pagewright-coordinator backup list --from \(vault.place.address).")
                }
                name = given
            } else {
                name = try await vault.newest()
            }
            let files = BackupFiles(folder: folder)
            try await pool.run { try folder.create() }
            let database = try await CoordinatorCore.openDatabase(source.database(), logger: BackupRoom.silent)
            let store = try await BlobSettings(source).open(
                in: folder, pool: pool, clock: SystemClock(), logger: BackupRoom.silent)
            let restore = BackupRestore(vault: vault, clock: SystemClock(), logger: BackupRoom.silent)
            let kept = try await restore.files(of: name)
            try await pool.run { try files.requireRoom(for: kept) }
            let report = try await restore.run(
                name, into: database, blobs: store, sidecar: Sidecar(directory: folder.memory, pool: pool))
            try await pool.run { try files.write(report.files) }
            try say(report)
        }
    }

    private func say(_ report: BackupRestore.Report) throws {
        if json {
            return try printJSON(
                Output(
                    name: report.name.text, madeAt: report.createdAt.description, rows: report.rows,
                    blobs: report.blobs, broughtBlobs: report.broughtBlobs,
                    missingBlobs: report.missingBlobs.prefix(1000).map(\.text),
                    incarnation: Int(report.incarnation.rawValue)))
        }
        print("Restored \(report.name), made at \(report.createdAt) by version \(report.program): \(report.rows) rows.")
        print(
            "Of \(report.blobs) blobs \(report.broughtBlobs) were brought back; \(report.missingBlobs.count) are missing."
        )
        if !report.missingBlobs.isEmpty {
            print(
                "Bring the store of blobs back too, or name it with --blobs; then: pagewright-coordinator blobs verify."
            )
        }
        print("Start the coordinator: it is in recovery. Wait until the hosts have connected; look with")
        print("  pagewright-coordinator recovery show\nand go on with\n  pagewright-coordinator recovery accept")
    }
}
