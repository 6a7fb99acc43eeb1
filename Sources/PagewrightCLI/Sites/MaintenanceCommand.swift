import ArgumentParser
import Foundation

struct MaintenanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maintenance", abstract: "Close a site to visitors, and open it again.",
        discussion: "Example: pagewright maintenance on bakery --message \"Back at noon\"",
        subcommands: [MaintenanceOnCommand.self, MaintenanceOffCommand.self])
}

struct MaintenanceOnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "on", abstract: "Show visitors a maintenance page (status 503).",
        discussion: "Example: pagewright maintenance on bakery --message \"Back at noon\"")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug or id.") var site: String
    @Option(help: "What the page says.") var message: String?

    func run() async throws {
        try await connection.withClient { client in
            let body: [String: String] = message.map { ["message": $0] } ?? [:]
            let answer = try await client.send(.put, "/sites/\(site)/maintenance", body: .json(body))
            let hosts = try await wait.confirmations(of: site, by: client, asJSON: connection.json)
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print("\(site) shows the maintenance page\(hosts.map { " on \($0)" } ?? " soon").")
            Console.print("Open it again: pagewright maintenance off \(site)")
        }
    }
}

struct MaintenanceOffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "off", abstract: "Show visitors the site again.",
        discussion: "Example: pagewright maintenance off bakery")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug or id.") var site: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.delete, "/sites/\(site)/maintenance")
            let hosts = try await wait.confirmations(of: site, by: client, asJSON: connection.json)
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print("\(site) is open again\(hosts.map { " on \($0)" } ?? " soon").")
        }
    }
}
