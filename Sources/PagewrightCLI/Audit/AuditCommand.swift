import ArgumentParser
import Foundation

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show and verify what was done (administrators).",
        discussion: "Example: pagewright audit verify",
        subcommands: [AuditListCommand.self, AuditVerifyCommand.self], defaultSubcommand: AuditListCommand.self)
}

struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what was done, newest first.",
        discussion: "Example: pagewright audit list --action release.created")

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "Only of the site with this id.") var site: String?
    @Option(help: "Only by this user, host, operator or system.") var actor: String?
    @Option(help: "Only this, such as site.created.") var action: String?
    @Option(help: "At most so many.") var limit = 30

    func run() async throws {
        try await connection.withClient { client in
            let path: APIPath = "/audit"
            let answer = try await client.list(
                path.with([("site", site), ("actor", actor), ("action", action)]), limit: limit)
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("NUMBER", "WHEN", "WHO", "WHAT", "TO", "DETAILS")
            for entry in try answer.decode(ListBody<AuditEntryBody>.self).items {
                table.add(
                    "\(entry.number)", entry.at, entry.actor, entry.action, entry.subject,
                    entry.details.map { "\($0.name)=\($0.value)" }.joined(separator: " "))
            }
            table.print(empty: "Nothing was done yet.")
        }
    }
}

struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compute the chain of all rows again, and name the first that is not right.",
        discussion: """
            Prints the end of the chain. Keep it somewhere else and give it next time: then rows that were cut off at \
            the end are missed too.

            Example: pagewright audit verify --expect-head 17:4be1…
            """)

    private struct Output: Encodable {
        let number: Int64
        let hash: String
    }

    @OptionGroup var connection: ConnectionOptions
    @Option(help: ArgumentHelp("A head that was printed before.", valueName: "number:hash")) var expectHead: String?

    func run() async throws {
        try await connection.withClient { client in
            let expected = try expectHead.map(AuditHeadBody.init(argument:))
            let stored: AuditHeadBody = try await client.send(.get, "/audit/head").decode()
            var chain = AuditChain()
            var cursor: String?
            let path: APIPath = "/audit"
            repeat {
                let page: AuditPage = try await client.send(
                    .get, path.with([("order", "oldest"), ("limit", "200"), ("cursor", cursor)])
                ).decode()
                for entry in page.items {
                    if let problem = chain.check(entry) { throw Self.broken(problem) }
                    for known in [stored, expected].compactMap(\.self)
                    where known.number == entry.number && known.hash != entry.hash {
                        throw Self.broken("row \(entry.number) is not the one that is remembered")
                    }
                }
                cursor = page.nextCursor
            } while cursor != nil
            for known in [stored, expected].compactMap(\.self) where known.number > chain.head.number {
                throw Self.broken("it was cut off: row \(chain.head.number + 1) is gone")
            }
            if connection.json {
                let output = Output(number: chain.head.number, hash: chain.head.hash)
                return Console.print(json: try JSONEncoder().encode(output))
            }
            Console.print("The audit log is whole: \(chain.head.number) rows. Its head is")
            Console.print(chain.head.text)
        }
    }

    private static func broken(_ what: String) -> CLIError {
        CLIError(
            .failed, "the audit log is broken: \(what)",
            nextStep: "Compare with a backup of the database; see docs/audit.md.")
    }
}

private struct AuditPage: Decodable {
    let items: [AuditEntryBody]
    let nextCursor: String?
}
