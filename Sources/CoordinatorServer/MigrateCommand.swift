import ArgumentParser
import Database
import Persistence

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Brings the database to the newest schema.",
        discussion: """
            `serve` does this too. A database that is newer than this program is refused.

            Example: pagewright-coordinator migrate --state /var/lib/pagewright
            """)

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable { let applied: [Int] }

    func run() async throws {
        try await reporting {
            let folder = try options.source().stateFolder()
            try folder.create()
            let applied = try await Migrator(Schema.migrations).migrate(CoordinatorCore.openDatabase(folder))
            if json {
                try printJSON(Output(applied: applied))
            } else if applied.isEmpty {
                print("The database is up to date.")
            } else {
                print("Applied \(applied.map(String.init).joined(separator: ", ")).")
            }
        }
    }
}
