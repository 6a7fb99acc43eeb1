import ArgumentParser
import Coordinator
import Database
import Domain
import FleetIdentity
import Logging

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks that the coordinator could start: folder, database, blobs, keys, templates.",
        discussion: "Example: pagewright-coordinator check --state /var/lib/pagewright")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var blobs: BlobOptions
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let database: String
        let blobs: BlobCheck.Outcome
        let jobs: [String: Int]
        let templates: [String]
        let authorityPin: String
    }

    func run() async throws {
        try await reporting {
            let source = try options.source(blobs.flags)
            let folder = try source.stateFolder()
            let database = try source.database()
            try folder.requireExisting()
            let core = try await CoordinatorCore.open(
                folder, database: database, settings: CoordinatorSettings(), blobs: BlobSettings(source),
                logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() })
            try await core.requireBlobs()
            let stored = try await BlobCheck(blobs: core.blobs, clock: SystemClock()).run()
            let counts = try await core.services.ledger.counts()
            let output = Output(
                database: "\(database)", blobs: stored,
                jobs: Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) }),
                templates: core.services.sites.listTemplates().map(\.name), authorityPin: core.authority.pin.text)
            if json {
                try printJSON(output)
            } else {
                print("database   \(output.database)")
                print("blobs      \(stored.address): put, got and deleted one")
                if let skew = stored.clockSkewSeconds {
                    print(
                        "clock      \(abs(skew) < 5 ? "agrees with the store's" : "\(skew) s ahead of the store's; set it right")"
                    )
                }
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
