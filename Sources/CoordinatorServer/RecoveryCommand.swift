import ArgumentParser
import Coordinator
import Domain
import Logging

struct RecoveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recovery", abstract: "Shows and accepts that the database forgot something.",
        subcommands: [RecoveryShowCommand.self, RecoveryAcceptCommand.self])
}

struct RecoveryShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows whether it is in recovery, why, and what hosts have that it lacks.",
        discussion: "Example: pagewright-coordinator recovery show --state /var/lib/pagewright")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await reporting {
            try RecoveryOutput(try await RecoveryOutput.open(options).view()).print(asJSON: json)
        }
    }
}

struct RecoveryAcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Takes the database as it is: what it lacks is lost, and work begins again.",
        discussion: "Example: pagewright-coordinator recovery accept --state /var/lib/pagewright")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await reporting {
            try RecoveryOutput(try await RecoveryOutput.open(options).accept(by: .operatorHere)).print(asJSON: json)
        }
    }
}

/// How things stand, for a person or as JSON.
private struct RecoveryOutput: Encodable {
    struct Find: Encodable {
        let hostId: String
        let kind: String
        let subject: String
        let number: Int64
        let digest: String?
    }

    let active: Bool
    let since: String?
    let reason: String?
    let incarnation: Int
    let finds: [Find]

    static func open(_ options: ConfigurationOptions) async throws -> RecoveryService {
        let folder = try options.source().stateFolder()
        try folder.requireExisting()
        return try await CoordinatorCore.open(
            folder, settings: CoordinatorSettings(),
            logger: Logger(label: "recovery") { _ in SwiftLogNoOpLogHandler() }
        ).services.recovery
    }

    init(_ view: RecoveryService.View) {
        active = view.isActive
        since = view.since?.description
        reason = view.reason
        incarnation = Int(view.incarnation.rawValue)
        finds = view.finds.map {
            Find(
                hostId: $0.host.text, kind: $0.kind.rawValue, subject: $0.subject, number: $0.number,
                digest: $0.digest?.text)
        }
    }

    func print(asJSON: Bool) throws {
        if asJSON { return try printJSON(self) }
        Swift.print(
            active
                ? "in recovery  since \(since ?? "-"): \(reason ?? "")"
                : "not in recovery; incarnation \(incarnation)")
        for find in finds {
            Swift.print(
                "\(find.kind)  \(find.subject)  \(find.number)  \(find.digest.map { String($0.prefix(12)) } ?? "-")  on \(find.hostId)"
            )
        }
    }
}
