import ArgumentParser
import Domain

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Tests everything that the coordinator depends on, and says what to do about what does not work.",
        discussion: """
            The state folder, the database and its schema, Redis, the blobs (one is put, read and deleted), the place \
            for backups, the templates and the keys. Nothing is migrated. Ends with 1 when something does not work.

            Example: pagewright-coordinator check --state /var/lib/pagewright
            """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var blobs: BlobOptions
    @OptionGroup var operations: OperationOptions
    @Option(help: "Redis, for several coordinators: redis://host:6379/0 and others; see docs/scaling.md.")
    var redis: String?
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let isGood: Bool
        let checks: [InstallationCheck.Item]
    }

    func run() async throws {
        try await reporting {
            let flags: [Setting: String?] = [.redis: redis]
            let source = try options.source(
                flags.merging(blobs.flags) { _, flag in flag }.merging(operations.flags) { _, flag in flag })
            var check = InstallationCheck(try ServeSettings(source))
            await check.run()
            if json {
                try printJSON(Output(isGood: check.isGood, checks: check.items))
            } else {
                for item in check.items {
                    print(item.name.padded(to: 11) + (item.isGood ? "" : "NOT WELL: ") + item.detail)
                    if let nextStep = item.nextStep, !item.isGood { print("".padded(to: 11) + nextStep) }
                }
            }
            guard check.isGood else { throw ExitCode.failure }
        }
    }
}

extension String {
    /// At least so many characters, with spaces behind.
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
