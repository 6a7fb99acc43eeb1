import ArgumentParser
import Artifacts
import BlockingIO
import Coordinator
import DatabaseSQLite
import Domain
import FleetIdentity
import Foundation
import Logging

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Makes a backup of everything that cannot be made again, and proves it.",
        discussion: """
            Example: pagewright-coordinator backup --to /mnt/backups --passphrase-file /etc/pagewright/backup.passphrase
            """,
        subcommands: [Make.self, Drill.self, List.self], defaultSubcommand: Make.self)

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "make", abstract: "Makes one backup, while the coordinator runs or not.",
            discussion: """
                It has the rows of the database at one instant, the fleet's keys, the configuration, and the list of all \
                blobs or their content; all of it sealed with the passphrase. Backups that are older than --keep go.

                Example: pagewright-coordinator backup --to /mnt/backups --blobs copy \
                --passphrase-file /etc/pagewright/backup.passphrase
                """)

        @OptionGroup var options: ConfigurationOptions
        @Option(help: ArgumentHelp("Where backups go: a folder, or s3://bucket/prefix?…", valueName: "place"))
        var to: String?
        @Option(help: ArgumentHelp("A file with the passphrase that seals the backups.", valueName: "file"))
        var passphraseFile: String?
        @Option(help: "What of the content of versions is in it: list or copy. (default: list)")
        var blobs: String?
        @Option(help: "Where the content of all versions is; as --blobs of serve.")
        var blobStore: String?
        @Option(help: "A file with the keys for S3, as Amazon's tools write it.")
        var s3Credentials: String?
        @Option(help: "How old a backup becomes. (default: 30d)")
        var keep: String?
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await reporting {
                let room = try await BackupRoom.open(
                    options, address: to, passphraseFile: passphraseFile,
                    flags: [
                        .backupBlobs: blobs, .backupKeep: keep, .blobs: blobStore, .s3Credentials: s3Credentials,
                    ])
                let start = SystemClock().now()
                do {
                    let run = try await room.make()
                    try await room.core.services.backups.record(run)
                    try BackupOutput(run).print(asJSON: json)
                } catch {
                    await room.core.services.backups.record(
                        failureOf: .backup, place: room.vault.place.address, since: start, error)
                    throw error
                }
            }
        }
    }

    struct Drill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drill",
            abstract: "Restores the newest backup into a place of its own, to see that it can be.",
            discussion: """
                Reads every row again, compares the keys with those in use, and looks at some of the blobs. Changes \
                nothing but the note that says when a restore was last proven. Ends with 1 when it cannot be restored.

                Example: pagewright-coordinator backup drill --from /mnt/backups \
                --passphrase-file /etc/pagewright/backup.passphrase
                """)

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var blobs: BlobOptions
        @OptionGroup var place: BackupPlaceOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await reporting {
                let room = try await BackupRoom.open(
                    options, address: place.from ?? place.to, passphraseFile: place.passphraseFile,
                    flags: blobs.flags)
                let run = try await room.drill()
                try await room.core.services.backups.record(run)
                try BackupOutput(run).print(asJSON: json)
                if !run.isGood { throw ExitCode.failure }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the backups in a place, oldest first.",
            discussion: """
                Example: pagewright-coordinator backup list --from /mnt/backups \
                --passphrase-file /etc/pagewright/backup.passphrase
                """)

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var blobs: BlobOptions
        @OptionGroup var place: BackupPlaceOptions
        @Flag(help: "Print JSON.")
        var json = false

        private struct Output: Encodable {
            let name: String
            let at: String
        }

        func run() async throws {
            try await reporting {
                let names = try await place.vault(options, blobs: blobs).vault.names()
                if json { return try printJSON(names.map { Output(name: $0.text, at: $0.at.description) }) }
                for name in names { print("\(name)  \(name.at)") }
                if names.isEmpty { print("There is no backup.") }
            }
        }
    }
}

/// Which backups a command works with.
struct BackupPlaceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where backups go: a folder, or s3://bucket/prefix?…", valueName: "place"))
    var to: String?
    @Option(help: ArgumentHelp("Where backups are: a folder, or s3://bucket/prefix?…", valueName: "place"))
    var from: String?
    @Option(help: ArgumentHelp("A file with the passphrase that seals the backups.", valueName: "file"))
    var passphraseFile: String?

    /// Without the database: it may be gone.
    func vault(
        _ options: ConfigurationOptions, blobs: BlobOptions
    ) async throws -> (vault: BackupVault, folder: StateFolder, source: SettingSource, pool: BlockingPool) {
        var flags = blobs.flags
        if let address = from ?? to { flags[.backupTo] = address }
        let source = try options.source(flags)
        let settings = try BackupSettings(source, passphraseFile: passphraseFile)
        guard let address = settings.place else {
            throw ServiceError(
                .invalidArgument, "nobody said where the backups are", field: "from",
                nextStep: "Give --from, or set backup.to.")
        }
        let folder = try source.stateFolder()
        let pool = BlockingPool(label: "pagewright.backup", width: 4)
        let vault = try await BackupSettings.vault(
            at: address, passphrase: try settings.requirePassphrase(), folder: folder, blobs: try BlobSettings(source),
            pool: pool, logger: BackupRoom.silent)
        return (vault, folder, source, pool)
    }
}

/// A coordinator's parts and its backups, for one command.
struct BackupRoom: Sendable {
    static let silent = Logger(label: "backup") { _ in SwiftLogNoOpLogHandler() }

    let core: CoordinatorCore
    let vault: BackupVault
    let files: BackupFiles
    let settings: BackupSettings
    let configuration: String?
    let logger: Logger

    static func open(
        _ options: ConfigurationOptions, address: String?, passphraseFile: String?, flags: [Setting: String?]
    ) async throws -> BackupRoom {
        var flags = flags
        if let address { flags[.backupTo] = address }
        let source = try options.source(flags)
        let settings = try BackupSettings(source, passphraseFile: passphraseFile)
        guard let place = settings.place else {
            throw ServiceError(
                .invalidArgument, "nobody said where backups go", field: "to",
                nextStep: "Give --to, or set backup.to.")
        }
        let folder = try source.stateFolder()
        try folder.requireExisting()
        let passphrase = try settings.requirePassphrase()
        let blobSettings = try BlobSettings(source)
        let core = try await CoordinatorCore.open(
            folder, database: source.database(), settings: CoordinatorSettings(), blobs: blobSettings, logger: silent)
        return BackupRoom(
            core: core,
            vault: try await BackupSettings.vault(
                at: place, passphrase: passphrase, folder: folder, blobs: blobSettings, pool: core.pool,
                logger: silent),
            files: BackupFiles(folder: folder), settings: settings, configuration: options.configurationPath,
            logger: silent)
    }

    func make() async throws -> BackupRun {
        let kept = try await core.pool.run { [files, configuration] in try files.read(configuration: configuration) }
        return try await BackupService(
            database: core.database, blobs: core.blobs, vault: vault, program: ProgramVersion.text,
            clock: SystemClock(), logger: logger
        ).run(files: kept, copiesBlobs: settings.copiesBlobs, keepingDays: settings.keepingDays)
    }

    func drill() async throws -> BackupRun {
        try await BackupDrill(
            vault: vault, blobs: core.blobs, authority: core.authority,
            openScratch: { try SQLiteDatabase(path: $0) }, clock: SystemClock(), logger: logger
        ).run()
    }
}

/// What became of a backup or a drill.
struct BackupOutput: Encodable {
    let kind: String
    let good: Bool
    let name: String
    let place: String
    let sizeBytes: Int64
    let rows: Int
    let blobs: Int
    let detail: String

    init(_ run: BackupRun) {
        kind = run.kind.rawValue
        good = run.isGood
        name = run.name
        place = run.place
        sizeBytes = run.sizeInBytes
        rows = run.rows
        blobs = run.blobs
        detail = run.detail
    }

    func print(asJSON: Bool) throws {
        if asJSON { return try printJSON(self) }
        Swift.print("\(good ? "good" : "BAD")  \(name)  in \(place)")
        Swift.print("\(rows) rows, \(blobs) blobs\(sizeBytes > 0 ? ", \(sizeBytes) bytes" : ""). \(detail)")
    }
}
