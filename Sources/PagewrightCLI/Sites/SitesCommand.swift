import ArgumentParser
import Foundation

struct SitesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sites", abstract: "List, make, show and delete sites.",
        discussion: "Example: pagewright sites",
        subcommands: [
            SitesListCommand.self, SitesCreateCommand.self, SitesInfoCommand.self, SitesDeleteCommand.self,
            SitesTemplatesCommand.self, SitesEngineCommand.self, SitesSetCommand.self,
        ], defaultSubcommand: SitesListCommand.self)
}

struct SitesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List your sites.", discussion: "Example: pagewright sites list --json")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.list("/sites")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("SITE", "NAME", "LIVE", "PREVIEW", "CONFIRMED BY", "ADDRESS")
            for site in try answer.decode(ListBody<SiteBody>.self).items {
                table.add(
                    site.slug, site.name, site.liveVersion.map { "v\($0)" } ?? "-",
                    site.previewVersion.map { "v\($0)" } ?? "-", site.confirmations,
                    site.maintenance == nil ? site.url : "\(site.url) (maintenance)")
            }
            table.print(empty: "You have no site yet. Make one: pagewright sites create bakery --template TEMPLATE")
        }
    }
}

struct SitesCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a site.",
        discussion: """
            The slug becomes part of the address: lower-case letters, digits and hyphens.

            Example: pagewright sites create bakery --name "Anna's Bakery" --template bakery
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug.") var slug: String
    @Option(help: "The site's name; default: the slug.") var name: String?
    @Option(help: "What to start from; see `pagewright sites templates`.") var template: String?

    func run() async throws {
        try await connection.withClient { client in
            var fields = ["slug": slug, "name": name ?? slug]
            fields["template"] = template
            var answer = try await client.send(.post, "/sites", body: .json(fields))
            var site = try answer.decode(SiteBody.self)
            if !wait.noWait {
                var progress = ProgressReporter(asJSON: connection.json)
                _ = try await wait.untilServed(site.slug, by: client, progress: &progress)
                answer = try await client.send(.get, "/sites/\(site.slug)")
                site = try answer.decode()
            }
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print("Created \(site.slug)\(wait.noWait ? "" : ", live on \(site.confirmations)").")
            Console.print("  Live     \(site.url)")
            Console.print("  Preview  \(site.previewUrl)")
            Console.print("Change it: pagewright edit \(site.slug) \"Change the headline to …\"")
        }
    }
}

struct SitesInfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show everything about one site.",
        discussion: "Example: pagewright sites info bakery")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/sites/\(site)")
            guard !connection.json else { return Console.print(json: answer.body) }
            for line in Self.lines(try answer.decode()) { Console.print(line) }
        }
    }

    static func lines(_ site: SiteBody) -> [String] {
        var lines = [
            "\(site.name) (\(site.slug), \(site.id))",
            "  Live         \(site.liveVersion.map { "version \($0)" } ?? "nothing")  \(site.url)",
            "  Preview      \(site.previewVersion.map { "version \($0)" } ?? "nothing")  \(site.previewUrl)",
            "  Last         \(site.lastVersion.map { "version \($0)" } ?? "none")",
        ]
        if !site.domains.isEmpty { lines.append("  Domains      \(site.domains.joined(separator: ", "))") }
        if let maintenance = site.maintenance {
            lines.append("  Maintenance  on\(maintenance.message.map { ": \($0)" } ?? "")")
        }
        if let mode = site.mode, let page = site.missingPage, mode != "pages" || page != "404.html" {
            lines.append("  Addresses    \(mode == "spa" ? "app mode" : "pages"), missing ones show \(page)")
        }
        lines.append("  Confirmed    by \(site.confirmations)")
        lines += site.serving.map { host in
            "    \(host.hostName)  \(host.state)  generation \(host.generation)"
                + (host.fetchedFiles.map {
                    "  fetched \(Wording.count($0, "file")), \(Wording.size(host.fetchedBytes ?? 0))"
                } ?? "") + "  \(Wording.age(host.updatedAt))" + (host.error.map { "  \($0)" } ?? "")
        }
        return lines
    }
}

struct SitesDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a site with all its versions.",
        discussion: "Asks for the slug once more; --yes answers it.\n\nExample: pagewright sites delete bakery --yes")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Flag(help: "Do not ask.") var yes = false

    func run() async throws {
        try await connection.withClient { client in
            let found: SiteBody = try await client.send(.get, "/sites/\(site)").decode()
            if !yes {
                let answer = try PasswordPrompt.ask(
                    "This deletes \(found.slug) and its \(Wording.count(found.lastVersion ?? 0, "version")). "
                        + "Type \(found.slug) to go on: ", option: "--yes")
                guard answer == found.slug else { throw CLIError(.failed, "that is not its slug; nothing was deleted") }
            }
            _ = try await client.send(.delete, "/sites/\(found.id)")
            guard !connection.json else {
                return Console.print(object: ["id": found.id, "slug": found.slug, "deleted": true])
            }
            Console.print("Deleted \(found.slug).")
        }
    }
}

struct SitesTemplatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "templates", abstract: "List what a site can start from.",
        discussion: "Example: pagewright sites templates")

    struct TemplateBody: Decodable {
        let name: String
        let title: String
        let description: String
    }

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/templates")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("TEMPLATE", "TITLE", "WHAT IT IS FOR")
            for template in try answer.decode(ListBody<TemplateBody>.self).items {
                table.add(template.name, template.title, template.description)
            }
            table.print(empty: "This coordinator has no templates.")
        }
    }
}

struct SitesEngineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine", abstract: "Choose what edits a site when an edit does not say.",
        discussion: "Example: pagewright sites engine bakery claude")

    struct Request: Encodable {
        let engine: String?
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "builtin, codex, claude or model; left out: the coordinator's choice.") var engine: String?

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.put, "/sites/\(site)/engine", body: .json(Request(engine: engine)))
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print("\(site) is edited by \(engine ?? "the coordinator's choice").")
        }
    }
}
