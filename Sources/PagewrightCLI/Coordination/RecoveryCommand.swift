import ArgumentParser
import Foundation

struct RecoveryBody: Decodable {
    struct Find: Decodable {
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

    func print() {
        if active {
            Console.print("In recovery since \(since ?? "-"): \(reason ?? "")")
            Console.print("Nothing is granted or pushed, and nothing can be changed. Hosts serve what they serve.")
        } else {
            Console.print("Not in recovery. Incarnation \(incarnation).")
        }
        var table = TextTable("KIND", "WHAT", "NUMBER", "DIGEST", "HOST")
        for find in finds {
            table.add(
                find.kind, find.subject, "\(find.number)", find.digest.map { String($0.prefix(12)) } ?? "-", find.hostId
            )
        }
        table.print(empty: "No host has said that it has something which the database lacks.")
        if active { Console.print("To take the database as it is: pagewright recovery accept") }
    }
}

struct RecoveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recovery", abstract: "See and accept that the database forgot something (administrators).",
        discussion: "Example: pagewright recovery show",
        subcommands: [RecoveryShowCommand.self, RecoveryAcceptCommand.self],
        defaultSubcommand: RecoveryShowCommand.self)
}

struct RecoveryShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show whether it is in recovery, why, and what hosts have that it lacks.",
        discussion: "Example: pagewright recovery show")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/recovery")
            guard !connection.json else { return Console.print(json: answer.body) }
            try answer.decode(RecoveryBody.self).print()
        }
    }
}

struct RecoveryAcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Take the database as it is: what it lacks is lost, and work begins again.",
        discussion: "Example: pagewright recovery accept --yes")

    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Do not ask.") var yes = false

    func run() async throws {
        if !yes {
            let answer = try PasswordPrompt.ask(
                "Hosts will be told to serve what the database says. Type accept to go on: ", option: "--yes")
            guard answer == "accept" else { throw CLIError(.failed, "nothing was done") }
        }
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/recovery/accept")
            guard !connection.json else { return Console.print(json: answer.body) }
            let body: RecoveryBody = try answer.decode()
            Console.print("Accepted. Work goes on in incarnation \(body.incarnation).")
        }
    }
}

struct BrakeBody: Decodable {
    let name: String
    let detail: String
    let engagedAt: String
    let releasedAt: String?
}

struct BrakesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "brakes", abstract: "List what is held back until a person looks; release it (administrators).",
        discussion: "Example: pagewright brakes release lease-expiry",
        subcommands: [BrakesListCommand.self, BrakesReleaseCommand.self], defaultSubcommand: BrakesListCommand.self)
}

struct BrakesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the brakes that are on.", discussion: "Example: pagewright brakes list")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/brakes")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("BRAKE", "SINCE", "RELEASED", "HOLDS BACK")
            for brake in try answer.decode(ListBody<BrakeBody>.self).items {
                table.add(
                    brake.name, Wording.age(brake.engagedAt), brake.releasedAt.map { Wording.age($0) } ?? "-",
                    brake.detail)
            }
            table.print(empty: "No brake is on.")
        }
    }
}

struct BrakesReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Say that what a brake holds back is meant.",
        discussion: "Example: pagewright brakes release lease-expiry")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The brake's name.") var brake: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/brakes/\(brake)/release")
            guard !connection.json else { return Console.print(json: answer.body) }
            let body: BrakeBody = try answer.decode()
            Console.print("\(body.name) holds nothing back for five minutes.")
        }
    }
}
