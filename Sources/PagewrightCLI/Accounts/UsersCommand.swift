import ArgumentParser
import Foundation

struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "List users, change roles, keep somebody out (administrators).",
        discussion: "Example: pagewright users list",
        subcommands: [
            UsersListCommand.self, UsersRoleCommand.self, UsersDisableCommand.self, UsersEnableCommand.self,
        ], defaultSubcommand: UsersListCommand.self)
}

struct UserRowBody: Decodable {
    let id: String
    let email: String
    let name: String
    let role: String
    let createdAt: String
    let disabledAt: String?
}

struct UsersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List users, newest first.", discussion: "Example: pagewright users list")

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "Only those with this in their name or address.") var match: String?
    @Option(help: "At most so many.") var limit = 50

    func run() async throws {
        try await connection.withClient { client in
            let path: APIPath = "/admin/users"
            let answer = try await client.list(path.with([("q", match)]), limit: limit)
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("USER", "E-MAIL", "NAME", "ROLE", "STATE", "SINCE")
            for user in try answer.decode(ListBody<UserRowBody>.self).items {
                table.add(
                    user.id, user.email, user.name, user.role, user.disabledAt == nil ? "active" : "disabled",
                    Wording.age(user.createdAt))
            }
            table.print(empty: "Nobody was found.")
        }
    }
}

/// What the verbs that change a user have in common.
struct UserChange: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The user's id, as `users list` shows it.") var user: String

    struct Change: Encodable {
        var role: String?
        var disabled: Bool?
    }

    func send(_ change: Change, saying sentence: (UserRowBody) -> String) async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.patch, "/admin/users/\(user)", body: .json(change))
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print(sentence(try answer.decode(UserRowBody.self)))
        }
    }
}

struct UsersRoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Change a user's role; they have to log in again.",
        discussion: "Example: pagewright users role user_01jx… admin")

    @OptionGroup var change: UserChange
    @Argument(help: "user or admin.") var role: String

    func run() async throws {
        try await change.send(.init(role: role)) { "\($0.email) is \($0.role) now." }
    }
}

struct UsersDisableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Keep a user out; their sites stay as they are.",
        discussion: "Example: pagewright users disable user_01jx…")

    @OptionGroup var change: UserChange

    func run() async throws {
        try await change.send(.init(disabled: true)) {
            "\($0.email) is out. Undo: pagewright users enable \($0.id)"
        }
    }
}

struct UsersEnableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Let a user in again.",
        discussion: "Example: pagewright users enable user_01jx…")

    @OptionGroup var change: UserChange

    func run() async throws {
        try await change.send(.init(disabled: false)) { "\($0.email) can log in again." }
    }
}
