import ArgumentParser
import Foundation

struct EditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Say what to change; see it in the preview.",
        discussion: """
            Follows the edit until it is over and shows the change card: what changed, what the checks found and where
            the preview is. What visitors see stays as it is until `pagewright promote`. Ctrl-C stops watching, not the
            edit.

            With --plan it answers what it would do and changes nothing; "do it" then carries the plan out. With --variants
            it tries the request several times, each as a version of its own, and you pick one.

            Example: pagewright edit bakery "Change the headline to Fresh bread every morning"
            Example: pagewright edit bakery --plan "Add a page about our bakers"
            Example: pagewright edit bakery --variants 3 "Make the home page warmer"
            """)

    struct Accepted: Decodable {
        struct Edit: Decodable { let id: String }
        struct Variant: Decodable {
            let edit: Edit
            let job: JobBody
        }
        let edit: Edit
        let job: JobBody
        let variants: [Variant]?
    }

    struct Request: Encodable {
        let prompt: String
        let engine: String?
        let baseVersion: Int?
        let mode: String?
        let conversationId: String?
        let variants: Int?
        let fresh: Bool?
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "What to change, in words; - reads it from standard input.") var prompt: String
    @Option(help: "The engine: builtin, codex, claude or model; default: the site's, then the coordinator's choice.")
    var engine: String?
    @Flag(help: "Ask the model even when it gave an answer to the same before.") var fresh = false
    @Option(help: ArgumentHelp("Start from this version; default: the preview.", valueName: "version")) var base: Int?
    @Flag(help: "Answer what would be done, and change nothing.") var plan = false
    @Option(help: "How many versions to try side by side, 1 to 3.") var variants: Int?
    @Option(help: ArgumentHelp("The conversation; default: the site's newest.", valueName: "id"))
    var conversation: String?
    @Flag(help: "Hand it in and do not wait.") var noWait = false
    @Option(help: ArgumentHelp("How many seconds to wait.", valueName: "seconds")) var timeout = 1800

    func run() async throws {
        let prompt = prompt == "-" ? Self.readStandardInput() : prompt
        try await connection.withClient { client in
            let request = Request(
                prompt: prompt, engine: engine, baseVersion: base, mode: plan ? "plan" : nil,
                conversationId: conversation, variants: variants, fresh: fresh ? true : nil)
            let answer = try await client.send(.post, "/sites/\(site)/edits", body: .json(request))
            let accepted = try answer.decode(Accepted.self)
            if let tries = accepted.variants, tries.count > 1, !noWait {
                return try await VariantChoice(site: site, client: client, timeout: .seconds(timeout)).show(
                    tries, asJSON: connection.json)
            }
            if noWait {
                guard !connection.json else { return Console.print(json: answer.body) }
                Console.print("The edit is job \(accepted.job.id).")
                Console.print("Follow it with: pagewright job \(accepted.job.id) --follow")
                return
            }
            let job = try await JobFollower(client: client).follow(
                accepted.job.id, timeout: .seconds(timeout), asJSON: connection.json)
            try await ChangeCard(job: job, client: client).show(asJSON: connection.json)
        }
    }

    static func readStandardInput() -> String {
        String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

struct EditsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edits", abstract: "List what was asked for.", discussion: "Example: pagewright edits bakery")

    struct EditBody: Decodable {
        let id: String
        let prompt: String
        let engine: String?
        let baseVersion: Int?
        let jobId: String
        let createdAt: String
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.list("/sites/\(site)/edits")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("JOB", "WHEN", "BASE", "ENGINE", "REQUEST")
            for edit in try answer.decode(ListBody<EditBody>.self).items {
                table.add(
                    edit.jobId, Wording.age(edit.createdAt), edit.baseVersion.map { "v\($0)" } ?? "-",
                    edit.engine ?? "-", String(edit.prompt.prefix(80)))
            }
            table.print(empty: "Nothing was asked for yet. Try: pagewright edit \(site) \"Change the headline to …\"")
        }
    }
}
