import ArgumentParser
import Database
import Domain
import Logging
import Persistence

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Brings the database to the newest schema.",
        discussion: """
            `serve` does this too, and several coordinators may do it at once. A database that is newer than this \
            program is refused and left alone.

            Example: pagewright-coordinator migrate --state /var/lib/pagewright --check
            """)

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Change nothing; say what would be done.")
    var check = false
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        var applied: [Int] = []
        var pending: [Int] = []
    }

    func run() async throws {
        try await reporting {
            let settings = try options.source()
            let source = try settings.database()
            if case .sqlite = source, settings.text(.state) != nil { try settings.stateFolder().create() }
            let opened = try await CoordinatorCore.openDatabase(
                source, logger: Logger(label: "migrate") { _ in SwiftLogNoOpLogHandler() })
            if check {
                try await sayPending(in: opened, at: source)
                return
            }
            let applied = try await CoordinatorCore.migrate(opened, at: source)
            if json {
                try printJSON(Output(applied: applied))
            } else if applied.isEmpty {
                print("The database is up to date.")
            } else {
                print("Applied \(applied.map(String.init).joined(separator: ", ")).")
            }
        }
    }

    private func sayPending(in database: any SQLDatabase, at source: DatabaseSource) async throws {
        let pending: [Migration]
        do {
            pending = try await Migrator(Schema.migrations).pending(in: database)
        } catch let error as SQLError {
            throw ServiceError(error, at: source)
        }
        if json {
            try printJSON(Output(pending: pending.map(\.number)))
        } else if pending.isEmpty {
            print("The database is up to date; nothing would be done.")
        } else {
            print("\(source) would get \(pending.count) step\(pending.count == 1 ? "" : "s"):")
            for migration in pending {
                print("\n-- \(migration.number): \(migration.name)")
                for statement in migration.statements { print(statement + ";") }
            }
        }
    }
}
