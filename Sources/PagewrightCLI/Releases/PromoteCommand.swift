import ArgumentParser
import Foundation

struct ReleaseBody: Decodable {
    let number: Int
    let version: Int
    let replaced: Int?
    let releasedBy: String?
    let releasedAt: String
}

struct PreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview", abstract: "Show where the preview is, or put another version there.",
        discussion: "Example: pagewright preview bakery 3")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The version to preview.") var version: Int?

    func run() async throws {
        try await connection.withClient { client in
            if let version {
                _ = try await client.send(.put, "/sites/\(site)/preview", body: .json(["version": version]))
                if !wait.noWait {
                    var progress = ProgressReporter(asJSON: connection.json)
                    _ = try await wait.untilServed(site, by: client, progress: &progress)
                }
            }
            let answer = try await client.send(.get, "/sites/\(site)")
            guard !connection.json else { return Console.print(json: answer.body) }
            let found = try answer.decode(SiteBody.self)
            guard let number = found.previewVersion else {
                return Console.print("\(site) has no preview. Make one: pagewright edit \(site) \"…\"")
            }
            Console.print("Version \(number) at \(found.previewUrl)  (confirmed by \(found.confirmations))")
        }
    }
}

struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Show a version to visitors.",
        discussion: """
            Waits until every host of the site confirmed, and only then says that it is live. While a browser still looks at
            what an edit changed, it waits for that first: a minute as a rule, 15 minutes at most, unless --unchecked
            is given.

            Example: pagewright promote bakery
            Example: pagewright promote bakery 3 --timeout 120
            Example: pagewright promote bakery 3 --unchecked
            """)

    /// A coordinator waits for the report of a browser for 15 minutes after the edit; a little more than that.
    private static let patience = Duration.seconds(15 * 60 + 10)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The version; default: the one in the preview.") var version: Int?
    @Flag(help: "Live on all hosts or on none: every host prepares it first, and one that cannot stops it.")
    var allOrNothing = false
    @Flag(help: "Do not wait for a browser that still looks at the version.") var unchecked = false

    private struct Promotion: Encodable {
        let version: Int
        let mode: String?
        let unchecked: Bool?
    }

    func run() async throws {
        try await connection.withClient { client in
            let before: SiteBody = try await client.send(.get, "/sites/\(site)").decode()
            guard let number = version ?? before.previewVersion else {
                throw CLIError(
                    .failed, "\(site) has no preview to promote",
                    nextStep: "Name a version: pagewright versions \(site).")
            }
            let answer = try await promote(number, by: client)
            try await ReleaseReport(connection: connection, wait: wait, client: client, before: before).show(answer)
        }
    }

    /// Asks again each time that a browser was waited for.
    private func promote(_ number: Int, by client: APIClient) async throws -> APIResponse {
        let promotion = Promotion(
            version: number, mode: allOrNothing ? "all-or-nothing" : nil, unchecked: unchecked ? true : nil)
        let looking = LookFollower(client: client, site: site, timeout: Self.patience, asJSON: connection.json)
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                return try await client.send(
                    .post, "/sites/\(site)/promote", body: .json(promotion), timeout: .seconds(120))
            } catch let error as CLIError where error.rule == "checks-running" && ContinuousClock.now < deadline {
                _ = try await looking.end(
                    of: number, before: deadline,
                    saying: "waiting for the browser that looks at version \(number), 15 minutes at most; "
                        + "--unchecked goes ahead without it")
                // Another coordinator's clock may be behind.
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Show visitors what was live before.",
        discussion: "Example: pagewright rollback bakery\nExample: pagewright rollback bakery 1")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The version; default: the one that was live before this one.") var version: Int?

    func run() async throws {
        try await connection.withClient { client in
            let before: SiteBody = try await client.send(.get, "/sites/\(site)").decode()
            let body: [String: Int] = version.map { ["version": $0] } ?? [:]
            let answer = try await client.send(.post, "/sites/\(site)/rollback", body: .json(body))
            try await ReleaseReport(connection: connection, wait: wait, client: client, before: before).show(answer)
        }
    }
}

/// Says what became of a release, and "live" only when the hosts did.
struct ReleaseReport {
    let connection: ConnectionOptions
    let wait: ServingWait
    let client: APIClient
    let before: SiteBody

    func show(_ answer: APIResponse) async throws {
        let release = try answer.decode(ReleaseBody.self)
        guard !wait.noWait else {
            guard !connection.json else { return Console.print(json: answer.body) }
            return Console.print("Release \(release.number): version \(release.version) is on its way to the hosts.")
        }
        var progress = ProgressReporter(asJSON: connection.json)
        // A release of what is live already changes nothing on the hosts, so they have nothing new to confirm.
        let changes = before.liveVersion != release.version
        let site = try await wait.untilServed(
            before.slug, by: client, changedAt: changes ? release.releasedAt : nil, progress: &progress)
        guard !connection.json else { return Console.print(json: answer.body) }
        Console.print("Version \(release.version) is live on \(site.confirmations): \(site.url)")
        if let replaced = release.replaced, replaced != release.version {
            Console.print("It replaced version \(replaced); back with: pagewright rollback \(site.slug)")
        }
    }
}

struct ReleasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "releases", abstract: "List what was live, and when.",
        discussion: "Example: pagewright releases bakery")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.list("/sites/\(site)/releases")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("RELEASE", "VERSION", "REPLACED", "WHEN")
            for release in try answer.decode(ListBody<ReleaseBody>.self).items {
                table.add(
                    "\(release.number)", "v\(release.version)", release.replaced.map { "v\($0)" } ?? "-",
                    Wording.age(release.releasedAt))
            }
            table.print(empty: "Nothing was released yet. Show the preview to visitors: pagewright promote \(site)")
        }
    }
}
