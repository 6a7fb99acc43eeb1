import ArgumentParser

struct AcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Accept, for once, what the checks refused, or what keeps a version from going live.",
        discussion: """
            Each finding is named by its rule and its file, as `pagewright job` prints them. What you accept is checked
            again, recorded as a version, and noted in the audit log. * stands for every file.

            What a browser found worse than in the version before keeps a version from going live: name the site and the
            version instead of a job.

            Example: pagewright accept job_01jx… --finding heading-lost:index.html
            Example: pagewright accept job_01jx… --finding 'link-lost:*'
            Example: pagewright accept --site bakery --version 4 --finding accessibility-name:index.html
            """)

    struct Request: Encodable {
        struct Finding: Encodable {
            let rule: String
            let path: String
        }

        let findings: [Finding]
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The job's id.") var job: String?
    @Option(help: "The site's slug or id, with --version.") var site: String?
    @Option(help: "The version's number, with --site.") var version: Int?
    @Option(name: .customLong("finding"), help: ArgumentHelp("What to accept.", valueName: "rule:file"))
    var findings: [String]

    func validate() throws {
        guard !findings.isEmpty else { throw ValidationError("Say what to accept with --finding rule:file.") }
        guard (site != nil) == (version != nil), (job != nil) != (site != nil) else {
            throw ValidationError("Name a job, or a site and a version with --site and --version.")
        }
    }

    func run() async throws {
        try await connection.withClient { client in
            let request = Request(
                findings: findings.map { text in
                    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    return Request.Finding(rule: String(parts[0]), path: parts.count == 2 ? String(parts[1]) : "")
                })
            let place: APIPath =
                if let job { "/jobs/\(job)/accept" } else { "/sites/\(site ?? "")/versions/\(version ?? 0)/accept" }
            let answer = try await client.send(.post, place, body: .json(request))
            guard !connection.json else { return Console.print(json: answer.body) }
            let version: VersionBody = try answer.decode()
            guard job != nil else {
                return Console.print("Accepted; it stands with version \(version.number) as a warning.")
            }
            Console.print(
                "Version \(version.number) was made of it\(version.isPreview ? " and is in the preview" : "").")
        }
    }
}
