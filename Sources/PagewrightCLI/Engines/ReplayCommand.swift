import ArgumentParser

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Carry an edit out once more from what its model said then, and see that it comes to the same.",
        discussion: """
            No model is asked and no version is made. Works for edits of every engine whose model's answers were kept. What
            a command of Codex did that depends on the moment, such as the date, is taken from the record, and said.

            Example: pagewright replay job_01jx…
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String
    @Flag(help: "Hand it in and do not wait.") var noWait = false
    @Option(help: ArgumentHelp("How many seconds to wait.", valueName: "seconds")) var timeout = 1800

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/jobs/\(job)/replay")
            let accepted = try answer.decode(JobBody.self)
            if noWait {
                guard !connection.json else { return Console.print(json: answer.body) }
                return Console.print("The replay is job \(accepted.id).")
            }
            let last = try await JobFollower(client: client).follow(
                accepted.id, timeout: .seconds(timeout), asJSON: connection.json)
            if connection.json { Console.print(json: try await client.send(.get, "/jobs/\(last.id)").body) }
            guard last.state == "succeeded", let version = last.version else { throw ChangeCard.failure(of: last) }
            guard !connection.json else { return }
            Console.print("The replay came to version \(version) again, byte for byte.")
            if let summary = last.summary, !summary.isEmpty { Console.print(summary) }
        }
    }
}

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Show what each attempt of a job used of a model.",
        discussion: "Example: pagewright usage job_01jx…")

    struct Entry: Decodable {
        let attempt: Int
        let engine: String
        let model: String
        let uncachedInputTokens: Int
        let cachedInputTokens: Int
        let outputTokens: Int
        let money: Int
        let seconds: Int
        let charged: Bool
        let fromCache: Bool
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/jobs/\(job)/usage")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("ATTEMPT", "ENGINE", "MODEL", "IN", "CACHED", "OUT", "MONEY", "SECONDS", "CHARGED")
            for entry in try answer.decode(ListBody<Entry>.self).items {
                table.add(
                    "\(entry.attempt)", entry.engine, entry.model.isEmpty ? "-" : entry.model,
                    "\(entry.uncachedInputTokens)", "\(entry.cachedInputTokens)", "\(entry.outputTokens)",
                    BudgetBody.amount(entry.money), "\(entry.seconds)",
                    entry.fromCache ? "from cache, 0 tokens" : entry.charged ? "yes" : "no")
            }
            table.print(empty: "No model was asked for it.")
        }
    }
}
