import ArgumentParser
import Foundation

struct DomainsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domains", abstract: "List, add and remove a site's own domains.",
        discussion: "Example: pagewright domains add bakery www.example.org",
        subcommands: [DomainsListCommand.self, DomainsAddCommand.self, DomainsRemoveCommand.self])
}

struct DomainBody: Decodable {
    let domain: String
    let url: String
}

struct DomainsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List a site's domains.", discussion: "Example: pagewright domains list bakery")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/sites/\(site)/domains")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("DOMAIN", "ADDRESS")
            for domain in try answer.decode(ListBody<DomainBody>.self).items { table.add(domain.domain, domain.url) }
            table.print(empty: "No domain of its own yet. Add one: pagewright domains add \(site) www.example.org")
        }
    }
}

struct DomainsAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Let a domain show the live site.",
        discussion: "Example: pagewright domains add bakery www.example.org")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The domain.") var domain: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/sites/\(site)/domains", body: .json(["domain": domain]))
            let hosts = try await wait.confirmations(of: site, by: client, asJSON: connection.json)
            guard !connection.json else { return Console.print(json: answer.body) }
            let added = try answer.decode(DomainBody.self)
            Console.print("\(added.domain) shows \(site)\(hosts.map { " on \($0)" } ?? " soon"): \(added.url)")
        }
    }
}

struct DomainsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take a domain away.",
        discussion: "Example: pagewright domains remove bakery www.example.org", aliases: ["rm"])

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The domain.") var domain: String

    func run() async throws {
        try await connection.withClient { client in
            _ = try await client.send(.delete, "/sites/\(site)/domains/\(domain)")
            let hosts = try await wait.confirmations(of: site, by: client, asJSON: connection.json)
            guard !connection.json else { return Console.print(object: ["domain": domain, "removed": true]) }
            Console.print("\(domain) no longer shows \(site)\(hosts.map { " on \($0)" } ?? ", soon").")
        }
    }
}

extension ServingWait {
    /// Waits unless told not to; `nil` says that nobody was asked.
    func confirmations(of site: String, by client: APIClient, asJSON: Bool) async throws -> String? {
        guard !noWait else { return nil }
        var progress = ProgressReporter(asJSON: asJSON)
        return try await untilServed(site, by: client, progress: &progress).confirmations
    }
}
