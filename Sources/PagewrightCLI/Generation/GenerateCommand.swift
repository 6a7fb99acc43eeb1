import ArgumentParser
import Foundation

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make a site from a few sentences; look at its plan, go on.",
        discussion: """
            `start` may be left out.

            Example: pagewright generate --name "Anna's Bakery" --type bakery \
            --description "We bake sourdough, croissants and rye bread." --goal "People come by"
            """,
        subcommands: [GenerateStartCommand.self, GenerateShowCommand.self, GenerateContinueCommand.self],
        defaultSubcommand: GenerateStartCommand.self)
}

struct GenerateStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Make a site from a few sentences.",
        discussion: """
            Says what is going on until the site is in its preview. Nothing is live until `pagewright promote`. With
            --plan-only it stops after the plan, until `pagewright generate continue`. Ctrl-C stops watching, not the
            work.

            Example: pagewright generate start --name "Anna's Bakery" --type bakery \
            --description "We bake sourdough, croissants and rye bread." --goal "People come by"
            """)

    struct Request: Encodable {
        let businessName: String
        let type: String
        let description: String
        let goals: [String]
        let audience: String?
        let style: String?
        let languages: [String]?
        let pages: [String]?
        let slug: String?
        let engine: String?
        let reviewPlan: Bool
    }

    struct Accepted: Decodable {
        struct Site: Decodable {
            let slug: String
            let previewUrl: String
        }
        let jobId: String
        let site: Site
    }

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "The business's name.") var name: String
    @Option(help: "What it is, such as bakery or football club.") var type: String
    @Option(help: "What it does, in a few sentences; - reads it from standard input.") var description: String
    @Option(name: .customLong("goal"), help: "What visitors should do; may be given up to six times.")
    var goals: [String] = []
    @Option(help: "Whom the site is for.") var audience: String?
    @Option(help: "How it should look, such as: warm and modern.") var style: String?
    @Option(name: .customLong("language"), help: "en or de; may be given twice; default: the description's.")
    var languages: [String] = []
    @Option(name: .customLong("page"), help: "A page besides the home page; may be given several times.")
    var pages: [String] = []
    @Option(help: "The site's slug; default: one that fits the name.") var slug: String?
    @Option(help: "The engine; default: builtin.") var engine: String?
    @Flag(help: "Stop after the plan.") var planOnly = false
    @Flag(inversion: .prefixedNo, help: "Show how it goes until it is over.") var follow = true
    @Option(help: ArgumentHelp("How many seconds to follow.", valueName: "seconds")) var timeout = 1800

    func run() async throws {
        guard !goals.isEmpty else { throw ValidationError("say what visitors should do with --goal") }
        let description = description == "-" ? EditCommand.readStandardInput() : description
        try await connection.withClient { client in
            let request = Request(
                businessName: name, type: type, description: description, goals: goals, audience: audience,
                style: style,
                languages: languages.isEmpty ? nil : languages, pages: pages.isEmpty ? nil : pages, slug: slug,
                engine: engine, reviewPlan: planOnly)
            let answer = try await client.send(.post, "/sites/generate", body: .json(request))
            let accepted = try answer.decode(Accepted.self)
            guard follow else {
                guard !connection.json else { return Console.print(json: answer.body) }
                Console.print("The site is \(accepted.site.slug), the job \(accepted.jobId).")
                Console.print("Follow it with: pagewright job \(accepted.jobId) --follow")
                return
            }
            try await GenerationFollower(client: client, site: accepted.site.slug).follow(
                accepted.jobId, timeout: .seconds(timeout), asJSON: connection.json)
        }
    }
}

struct GenerateShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the plan of a site and the steps of its making.",
        discussion: "Example: pagewright generate show bakery")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/sites/\(site)/generation")
            guard !connection.json else { return Console.print(json: answer.body) }
            for line in try answer.decode(GenerationBody.self).lines(site: site) { Console.print(line) }
        }
    }
}

struct GenerateContinueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "continue", abstract: "Go on with the plan, or after a failure.",
        discussion: """
            With --plan FILE the plan is replaced first: JSON with a list `pages`, each with `title` and perhaps `name`,
            `purpose` and `role`, the home page first; `pagewright generate show SITE --json` prints the plan.

            Example: pagewright generate continue bakery --plan plan.json
            """)

    struct Plan: Codable {
        struct Page: Codable {
            let name: String?
            let title: String
            let purpose: String?
            let role: String?
        }
        let pages: [Page]

        private enum Key: String, CodingKey { case pages, plan }

        /// Takes what `generate show --json` prints, too.
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            pages =
                try container.decodeIfPresent([Page].self, forKey: .plan)
                ?? container.decode([Page].self, forKey: .pages)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(pages, forKey: .pages)
        }
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Option(help: ArgumentHelp("A file with the plan to use instead.", valueName: "file")) var plan: String?
    @Flag(inversion: .prefixedNo, help: "Show how it goes until it is over.") var follow = true
    @Option(help: ArgumentHelp("How many seconds to follow.", valueName: "seconds")) var timeout = 1800

    func run() async throws {
        try await connection.withClient { client in
            if let plan {
                guard let data = FileManager.default.contents(atPath: plan) else {
                    throw CLIError(.failed, "cannot read \(plan)")
                }
                let wanted: Plan
                do {
                    wanted = try JSONDecoder().decode(Plan.self, from: data)
                } catch {
                    throw CLIError(
                        .failed, "\(plan) is no plan: \(error)",
                        nextStep: "Look at one with: pagewright generate show \(site) --json")
                }
                _ = try await client.send(.put, "/sites/\(site)/generation/plan", body: .json(wanted))
            }
            let answer = try await client.send(.post, "/sites/\(site)/generation/continue")
            let generation = try answer.decode(GenerationBody.self)
            guard follow else {
                guard !connection.json else { return Console.print(json: answer.body) }
                return Console.print("It goes on as job \(generation.jobId).")
            }
            try await GenerationFollower(client: client, site: site).follow(
                generation.jobId, timeout: .seconds(timeout), asJSON: connection.json)
        }
    }
}
