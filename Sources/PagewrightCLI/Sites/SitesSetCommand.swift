import ArgumentParser
import Foundation

struct SitesSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a site's name, or how addresses lead to its files.",
        discussion: """
            In app mode (spa) an address without a file shows index.html, whose script reads the address.

            Example: pagewright sites set bakery --mode spa --missing-page errors/lost.html
            """)

    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case pages, spa
    }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug or id.") var site: String
    @Option(help: "What people call it.") var name: String?
    @Option(help: "pages or spa.") var mode: Mode?
    @Option(help: ArgumentHelp("The page for addresses that lead to none.", valueName: "path")) var missingPage: String?

    func validate() throws {
        guard name != nil || mode != nil || missingPage != nil else {
            throw ValidationError("say at least one of --name, --mode and --missing-page")
        }
    }

    func run() async throws {
        try await connection.withClient { client in
            var body: [String: String] = [:]
            body["name"] = name
            body["mode"] = mode?.rawValue
            body["missing_page"] = missingPage
            let answer = try await client.send(.patch, "/sites/\(site)", body: .json(body))
            let hosts: String? =
                mode == nil && missingPage == nil
                ? nil : try await wait.confirmations(of: site, by: client, asJSON: connection.json)
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print("\(site) is changed\(hosts.map { " on \($0)" } ?? "").")
        }
    }
}
