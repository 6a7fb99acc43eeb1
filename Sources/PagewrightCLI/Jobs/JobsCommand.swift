import ArgumentParser
import Foundation

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List jobs, newest first.", discussion: "Example: pagewright jobs --site bakery")

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "Only those of this site.") var site: String?
    @Option(help: "Only those in this state: queued, ready, leased, succeeded, answered, failed, cancelled, dead.")
    var state: String?
    @Option(help: "At most so many.") var limit = 20

    func run() async throws {
        try await connection.withClient { client in
            let path: APIPath = "/jobs"
            let answer = try await client.list(path.with([("site", site), ("state", state)]), limit: limit)
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("JOB", "KIND", "STATE", "WHEN", "RESULT", "REQUEST")
            for job in try answer.decode(ListBody<JobBody>.self).items {
                table.add(
                    job.id, job.kind, job.state == "leased" ? "\(job.progress) %" : job.state,
                    Wording.age(job.createdAt),
                    job.version.map { "v\($0)" } ?? String((job.failure?.message ?? job.waitReason ?? "-").prefix(60)),
                    String((job.prompt ?? "").prefix(60)))
            }
            table.print(empty: "There are no jobs.")
        }
    }
}

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Show one job; --follow waits for its end.",
        discussion: "Example: pagewright job job_01jx… --follow")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String
    @Flag(name: .shortAndLong, help: "Wait until it is over and show the change card.") var follow = false
    @Option(help: ArgumentHelp("How many seconds to wait.", valueName: "seconds")) var timeout = 1800

    func run() async throws {
        try await connection.withClient { client in
            if follow {
                let last = try await JobFollower(client: client).follow(
                    job, timeout: .seconds(timeout), asJSON: connection.json)
                return try await ChangeCard(job: last, client: client).show(asJSON: connection.json)
            }
            let answer = try await client.send(.get, "/jobs/\(job)")
            guard !connection.json else { return Console.print(json: answer.body) }
            for line in Self.lines(try answer.decode()) { Console.print(line) }
        }
    }

    static func lines(_ job: JobBody) -> [String] {
        var lines = ["\(job.id)  \(job.kind), \(job.state)"]
        if let prompt = job.prompt { lines.append("  Request   \(prompt)") }
        if !job.isOver { lines.append("  Now       \(job.progressLine)") }
        if let version = job.version { lines.append("  Result    version \(version)") }
        if let summary = job.summary, !summary.isEmpty { lines.append("  Summary   \(summary)") }
        if let files = job.plannedFiles, !files.isEmpty { lines.append("  Files     \(files.joined(separator: ", "))") }
        if let review = job.review {
            lines.append("  Scope     \(review.sentence)")
            if job.state == "failed", let version = review.version {
                lines.append("  Accepted  version \(version) was made of it")
            }
        }
        if let failure = job.failure { lines.append("  Failure   \(failure.message) [\(failure.code)]") }
        lines += (job.findings ?? []).map { "    \($0.line)" }
        if job.isRefused { lines += ChangeCard.refusalHints(of: job) }
        lines.append("  Attempt   \(job.attempt)\(job.hostId.map { " on \($0)" } ?? "")")
        lines.append("  Asked     \(Wording.age(job.createdAt))")
        return lines
    }
}

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say why a job waits, failed, or is where it is.",
        discussion: "Example: pagewright why job_01jx…")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/jobs/\(job)")
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print(Self.explanation(of: try answer.decode()))
        }
    }

    static func explanation(of job: JobBody) -> String {
        switch job.state {
        case "queued", "ready":
            "It waits: \(job.waitReason ?? "it is next; a worker with a free slot takes it"). "
                + "Withdraw it with: pagewright cancel \(job.id)."
        case "leased":
            "It runs\(job.hostId.map { " on \($0)" } ?? "") (attempt \(job.attempt), \(job.progress) %"
                + (job.step.map { ", \($0)" } ?? "") + ")."
        case "answered":
            "It is answered: the plan is in `pagewright job \(job.id)`. Carry it out with: pagewright edit \(job.siteId) \"do it\"."
        case "succeeded": "It is done\(job.version.map { ": version \($0)" } ?? "")."
        case "cancelled": "It was cancelled; nothing changed. Try it again with: pagewright retry \(job.id)."
        default:
            "It ended as \(job.state) in attempt \(job.attempt): \(job.failure?.message ?? "no reason was given") "
                + "Look with: pagewright logs \(job.id). Try it again with: pagewright retry \(job.id)."
        }
    }
}

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop a job; nothing of it stays.",
        discussion: "Example: pagewright cancel job_01jx…")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/jobs/\(job)/cancel")
            guard !connection.json else { return Console.print(json: answer.body) }
            let now = try answer.decode(JobBody.self)
            Console.print(
                now.isOver ? "The job \(now.id) is \(now.state)." : "The job \(now.id) is being cancelled.")
        }
    }
}

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Ask for the same again, as a new job.",
        discussion: "Example: pagewright retry job_01jx… --follow")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String
    @Flag(name: .shortAndLong, help: "Wait until it is over and show the change card.") var follow = false
    @Option(help: ArgumentHelp("How many seconds to wait.", valueName: "seconds")) var timeout = 1800

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/jobs/\(job)/retry")
            let new = try answer.decode(JobBody.self)
            if follow {
                let last = try await JobFollower(client: client).follow(
                    new.id, timeout: .seconds(timeout), asJSON: connection.json)
                return try await ChangeCard(job: last, client: client).show(asJSON: connection.json)
            }
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print("It is tried again as \(new.id). Follow it with: pagewright job \(new.id) --follow")
        }
    }
}

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what a job wrote; -f goes on until it is over.",
        discussion: "Example: pagewright logs -f job_01jx…")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String
    @Flag(name: .shortAndLong, help: "Go on until the job is over.") var follow = false

    func run() async throws {
        try await connection.withClient { client in
            if connection.json {
                let text = try await client.send(.get, "/jobs/\(job)/log").body
                return Console.print(object: ["job_id": job, "log": String(decoding: text, as: UTF8.self)])
            }
            var shown = 0
            while true {
                // The state first: what the job wrote before it was over is then in the log.
                let isOver = try await client.send(.get, "/jobs/\(job)").decode(JobBody.self).isOver
                let text = try await client.send(.get, "/jobs/\(job)/log").body
                Console.write(text.dropFirst(shown), to: STDOUT_FILENO)
                shown = max(shown, text.count)
                if !follow || isOver { return }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}

struct UnlockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Take a job from a host that cannot be reached (administrators).",
        discussion: "Example: pagewright unlock job_01jx…")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/jobs/\(job)/unlock")
            guard !connection.json else { return Console.print(json: answer.body) }
            let body: JobBody = try answer.decode()
            Console.print("\(body.id) was taken from its host and is \(body.state).")
        }
    }
}
