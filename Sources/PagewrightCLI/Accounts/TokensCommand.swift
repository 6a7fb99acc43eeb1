import ArgumentParser
import Foundation

struct TokenBody: Decodable {
    let id: String
    let name: String
    let scopes: [String]
    let createdAt: String
    let expiresAt: String
    let lastUsedAt: String?
}

struct TokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "Access tokens for programs: list, create, revoke.",
        discussion: "Example: pagewright tokens create deploy --scope write --days 30",
        subcommands: [TokensListCommand.self, TokensCreateCommand.self, TokensRevokeCommand.self],
        defaultSubcommand: TokensListCommand.self)
}

struct TokensListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List your access tokens; their secrets are not kept.",
        discussion: "Example: pagewright tokens list")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/me/tokens")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("TOKEN", "NAME", "SCOPES", "ENDS", "LAST USED")
            for token in try answer.decode(ListBody<TokenBody>.self).items {
                table.add(
                    token.id, token.name, token.scopes.joined(separator: ","), Wording.age(token.expiresAt),
                    Wording.age(token.lastUsedAt))
            }
            table.print(empty: "You have no access token. Make one: pagewright tokens create deploy --scope write")
        }
    }
}

struct TokensCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an access token; it is printed once, alone on standard output.",
        discussion: """
            read looks, write changes sites, admin does what only administrators may. A token cannot make tokens or \
            change your account.

            Example: pagewright tokens create deploy --scope write --days 30
            """)

    struct IssuedBody: Decodable {
        let token: TokenBody
        let secret: String
    }

    struct Draft: Encodable {
        let name: String
        let scopes: [String]
        let days: Int
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "What it is for.") var name: String
    @Option(help: "What it may do: read, write or admin; may be given several times.") var scope: [String]
    @Option(help: "How many days it lives.") var days = 90

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(
                .post, "/me/tokens", body: .json(Draft(name: name, scopes: scope, days: days)))
            guard !connection.json else { return Console.print(json: answer.body) }
            let issued = try answer.decode(IssuedBody.self)
            Console.printError("\(issued.token.id) ends \(Wording.age(issued.token.expiresAt)). It is not shown again:")
            Console.print(issued.secret)
        }
    }
}

struct TokensRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Make an access token worthless, at once.",
        discussion: "Example: pagewright tokens revoke token_01jx…")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The token's id, as `tokens list` shows it.") var id: String

    func run() async throws {
        try await connection.withClient { client in
            _ = try await client.send(.delete, "/me/tokens/\(id)")
            guard !connection.json else { return Console.print(object: ["id": id, "state": "revoked"]) }
            Console.print("\(id) opens nothing any more.")
        }
    }
}
