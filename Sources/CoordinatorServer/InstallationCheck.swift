import Artifacts
import BlockingIO
import Coordinator
import Database
import DatabasePostgres
import Domain
import FleetIdentity
import Foundation
import Logging
import Persistence
import Redis

/// Looks at everything that a coordinator depends on, one after the other, and says of each whether it does its work and
/// what to do when it does not. Changes nothing, but for one blob that is put and deleted again.
struct InstallationCheck {
    struct Item: Encodable, Sendable {
        let name: String
        let isGood: Bool
        let detail: String
        var nextStep: String?
    }

    private static let quiet = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }

    let settings: ServeSettings
    private(set) var items: [Item] = []
    private var database: (any SQLDatabase)?
    /// Whether there may be hosts that know this coordinator by its authority.
    private var hasHosts = true
    private let pool = BlockingPool(label: "pagewright.check", width: 2)

    init(_ settings: ServeSettings) {
        self.settings = settings
    }

    var isGood: Bool { items.allSatisfy(\.isGood) }

    mutating func run() async {
        await look("state") { try $0.lookAtState() }
        // Nothing is made where nothing is.
        guard isGood else { return }
        await look("database") { try await $0.lookAtDatabase() }
        await look("schema") { try await $0.lookAtSchema() }
        await look("redis") { try await $0.lookAtRedis() }
        await look("blobs") { try await $0.lookAtBlobs() }
        await look("backups") { try await $0.lookAtBackups() }
        await look("templates") { try await $0.lookAtTemplates() }
        await look("CA pin") { try await $0.lookAtAuthority() }
    }

    private mutating func look(
        _ name: String, _ body: (inout InstallationCheck) async throws -> String
    ) async {
        do {
            let detail = try await body(&self)
            items.append(Item(name: name, isGood: true, detail: detail))
        } catch let error as ServiceError {
            let cause = error.cause.map { " (\($0))" } ?? ""
            items.append(Item(name: name, isGood: false, detail: error.message + cause, nextStep: error.nextStep))
        } catch {
            items.append(Item(name: name, isGood: false, detail: "\(error)"))
        }
    }

    private func lookAtState() throws -> String {
        let path = settings.folder.path
        try settings.folder.requireExisting()
        guard FileManager.default.isWritableFile(atPath: path) else {
            throw ServiceError(
                .failedPrecondition, "this user may not write to \(path)", field: "state",
                nextStep: "Run this as the user that the coordinator runs as, or choose another folder with --state.")
        }
        return path
    }

    private func lookAtTemplates() async throws -> String {
        try await pool.run { try SiteTemplates.load() }.map(\.name).joined(separator: ", ")
    }

    private func lookAtAuthority() async throws -> String {
        let folder = settings.folder.authority
        let hasHosts = hasHosts
        return try await pool.run {
            guard try CertificateAuthority.exists(inDirectory: folder) else {
                guard !hasHosts else {
                    throw ServiceError(
                        .failedPrecondition, "there is no authority in \(folder), so that no host is known any more",
                        field: "state",
                        nextStep: "Restore the folder from a backup, see: pagewright-coordinator restore --help.")
                }
                return "none yet; serve makes it"
            }
            return try CertificateAuthority.loadOrCreate(inDirectory: folder, at: SystemClock().now()).pin.text
        }
    }

    private mutating func lookAtDatabase() async throws -> String {
        let source = settings.database
        guard case .postgres(let address) = source else {
            if case .sqlite(let path) = source, !FileManager.default.fileExists(atPath: path) {
                throw ServiceError(
                    .failedPrecondition, "there is no database at \(path)", field: "database",
                    nextStep: "Set database to where it is, or restore it: pagewright-coordinator restore --help.")
            }
            let opened = try await CoordinatorCore.openDatabase(source, logger: Self.quiet)
            database = opened
            try await opened.withTransaction { _ = try await $0.query("SELECT 1 AS one") }
            return "\(source): opened for writing"
        }
        do {
            let (opened, facts) = try await CoordinatorCore.openPostgres(address, logger: Self.quiet)
            database = opened
            let standbys =
                facts.synchronousStandbys.isEmpty
                ? "commits wait for no standby" : "commits wait for \(facts.synchronousStandbys)"
            let warning =
                facts.isDurable
                ? "" : "; it forgets commits when its machine fails, see fsync, full_page_writes, synchronous_commit"
            return "\(source): PostgreSQL \(facts.version), takes writes, \(standbys)\(warning)"
        } catch let error as SQLError {
            throw ServiceError(error, at: source)
        }
    }

    private mutating func lookAtSchema() async throws -> String {
        guard let database else { return "not looked at: there is no database" }
        do {
            let pending = try await Migrator(Schema.migrations).pending(in: database)
            guard pending.isEmpty else {
                self.database = nil
                hasHosts = pending.count < Schema.migrations.count
                return "\(pending.count) steps behind this program; serve and migrate bring it up to date"
            }
        } catch let error as SQLError {
            self.database = nil
            throw ServiceError(error, at: settings.database)
        }
        hasHosts = try await database.read { try await !Stores().hosts.list(in: $0).isEmpty }
        let counts = try await database.read { try await Stores().jobs.counts(in: $0) }
        let jobs = counts.map { "\($0.value) \($0.key.rawValue)" }.sorted().joined(separator: ", ")
        return "up to date" + (jobs.isEmpty ? "" : "; jobs: \(jobs)")
    }

    private func lookAtRedis() async throws -> String {
        guard let configuration = settings.redis else { return "none, which is well for one coordinator" }
        let client = try Hints.redis(configuration, logger: Self.quiet).redis
        do {
            try await client?.probe()
        } catch {
            throw ServiceError(redis: error)
        }
        return "\(configuration.address): answers"
    }

    private func lookAtBlobs() async throws -> String {
        let blobs = try await settings.blobs.open(
            in: settings.folder, pool: pool, clock: MachineClock(), logger: Self.quiet)
        let outcome = try await BlobCheck(blobs: blobs, clock: SystemClock()).run()
        if let database { try await CoordinatorCore.requireVersions(of: database, in: blobs) }
        var words = "\(outcome.address): put, got and deleted one"
        if let skew = outcome.clockSkewSeconds {
            words +=
                abs(skew) < 5
                ? "; the clocks agree" : "; this machine's clock is \(skew) s ahead of the store's: set it right"
        }
        return words
    }

    private func lookAtBackups() async throws -> String {
        guard let place = settings.backups.place else { return "none are made; see backup.to" }
        let vault = try await BackupSettings.vault(
            at: place, passphrase: try settings.backups.requirePassphrase(), folder: settings.folder,
            blobs: settings.blobs, pool: pool, logger: Self.quiet)
        let names = try await vault.names()
        return "\(vault.place.address): \(names.count) there" + (names.last.map { ", the newest is \($0.text)" } ?? "")
    }
}
