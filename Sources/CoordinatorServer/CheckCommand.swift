import ArgumentParser
import Coordinator
import Database
import Domain
import FleetIdentity
import Logging

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Checks that the coordinator could start: folder, database, keys, templates.",
        discussion: "Example: pagewright-coordinator check --state /var/lib/pagewright")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let database: String
        let jobs: [String: Int]
        let templates: [String]
        let authorityPin: String
    }

    func run() async throws {
        try await reporting {
            let settings = try options.source()
            let folder = try settings.stateFolder()
            let database = try settings.database()
            try folder.requireExisting()
            let core = try await CoordinatorCore.open(
                folder, database: database, settings: CoordinatorSettings(),
                logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() })
            let counts = try await core.services.ledger.counts()
            let output = Output(
                database: "\(database)",
                jobs: Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) }),
                templates: core.services.sites.listTemplates().map(\.name), authorityPin: core.authority.pin.text)
            if json {
                try printJSON(output)
            } else {
                print("database   \(output.database)")
                print(
                    "jobs       "
                        + output.jobs.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
                )
                print("templates  " + output.templates.joined(separator: ", "))
                print("CA pin     \(output.authorityPin)")
            }
        }
    }
}
