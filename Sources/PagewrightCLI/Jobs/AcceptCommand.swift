import ArgumentParser

struct AcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Accept, for once, what the checks refused; it becomes a version.",
        discussion: """
            Each finding is named by its rule and its file, as `pagewright job` prints them. What you accept is checked
            again, recorded as a version, and noted in the audit log. * stands for every file.

            Example: pagewright accept job_01jx… --finding heading-lost:index.html
            Example: pagewright accept job_01jx… --finding 'link-lost:*'
            """)

    struct Request: Encodable {
        struct Finding: Encodable {
            let rule: String
            let path: String
        }

        let findings: [Finding]
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String
    @Option(name: .customLong("finding"), help: ArgumentHelp("What to accept.", valueName: "rule:file"))
    var findings: [String]

    func validate() throws {
        guard !findings.isEmpty else { throw ValidationError("Say what to accept with --finding rule:file.") }
    }

    func run() async throws {
        try await connection.withClient { client in
            let request = Request(
                findings: findings.map { text in
                    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    return Request.Finding(rule: String(parts[0]), path: parts.count == 2 ? String(parts[1]) : "")
                })
            let answer = try await client.send(.post, "/jobs/\(job)/accept", body: .json(request))
            guard !connection.json else { return Console.print(json: answer.body) }
            let version: VersionBody = try answer.decode()
            Console.print(
                "Version \(version.number) was made of it\(version.isPreview ? " and is in the preview" : "").")
        }
    }
}
